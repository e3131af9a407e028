/**
 * Every call of the box's API by name: method and path. Free of imports, so that a client starts
 * fast; who may call it and what goes over the wire is in `routes.ts`.
 */
export const OPERATIONS = {
  getHealth: ['GET', '/healthz'],
  getOpenApi: ['GET', '/openapi.json'],
  getMetrics: ['GET', '/metrics'],
  getStatus: ['GET', '/v1/status'],
  submitStory: ['POST', '/v1/stories'],
  listStories: ['GET', '/v1/stories'],
  getStory: ['GET', '/v1/stories/:storyId'],
  cancelStory: ['POST', '/v1/stories/:storyId/cancel'],
  retryStory: ['POST', '/v1/stories/:storyId/retry'],
  listTasks: ['GET', '/v1/tasks'],
  getTask: ['GET', '/v1/tasks/:taskId'],
  getTaskDiff: ['GET', '/v1/tasks/:taskId/diff'],
  cancelTask: ['POST', '/v1/tasks/:taskId/cancel'],
  retryTask: ['POST', '/v1/tasks/:taskId/retry'],
  listProjects: ['GET', '/v1/projects'],
  addProject: ['PUT', '/v1/projects/:project'],
  removeProject: ['DELETE', '/v1/projects/:project'],
  getProjectBundle: ['GET', '/v1/projects/:project/bundle'],
  rollBack: ['POST', '/v1/projects/:project/rollback'],
  listReleases: ['GET', '/v1/releases'],
  listIncidents: ['GET', '/v1/incidents'],
  listAgents: ['GET', '/v1/agents'],
  listArtifacts: ['GET', '/v1/artifacts'],
  getArtifact: ['GET', '/v1/artifacts/:artifactId/content'],
  listEvents: ['GET', '/v1/events'],
  streamEvents: ['GET', '/v1/events/stream'],
  verifyEvents: ['GET', '/v1/events/verify'],
  readLogs: ['GET', '/v1/logs'],

  registerAgent: ['POST', '/v1/agents'],
  sendAgentLogs: ['POST', '/v1/agents/:agentId/logs'],
  leaseJob: ['POST', '/v1/jobs/lease'],
  heartbeatJob: ['POST', '/v1/jobs/:jobId/heartbeat'],
  sendJobLogs: ['POST', '/v1/jobs/:jobId/logs'],
  reportProgress: ['POST', '/v1/jobs/:jobId/progress'],
  putArtifact: ['PUT', '/v1/jobs/:jobId/artifacts/:name'],
  getJobSource: ['GET', '/v1/jobs/:jobId/source'],
  getJobAttachment: ['GET', '/v1/jobs/:jobId/attachment'],
  putJobCommit: ['PUT', '/v1/jobs/:jobId/commit'],
  completeJob: ['POST', '/v1/jobs/:jobId/result'],

  followTopology: ['GET', '/v1/topology'],
  ackTopology: ['POST', '/v1/topology/ack'],
  reportTraffic: ['POST', '/v1/traffic'],
  getReleaseSource: ['GET', '/v1/releases/:releaseId/source'],
  observeRelease: ['POST', '/v1/releases/:releaseId/observations'],
  sendReleaseLogs: ['POST', '/v1/releases/:releaseId/logs'],
  reportWatch: ['POST', '/v1/releases/:releaseId/watch'],
} as const;

export type OperationName = keyof typeof OPERATIONS;
export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';
