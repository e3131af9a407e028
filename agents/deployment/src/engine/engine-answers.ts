import { z } from 'zod';

/** What this agent reads of the engine's answers; the rest is ignored. */
export const Version = z.object({ Version: z.string(), ApiVersion: z.string() });

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

export const ImageDetail = z.object({
  Id: z.string(),
  Created: z.string().nullish(),
  RepoTags: z.array(z.string()).nullish(),
  Config: z
    .object({
      User: z.string().nullish(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Labels: labels,
    })
    .nullish(),
});

export const ImageList = z.array(
  z.object({ Id: z.string(), Created: z.number(), RepoTags: z.array(z.string()).nullish(), Labels: labels }),
);

export const ContainerDetail = z.object({
  Id: z.string(),
  Name: z.string(),
  Image: z.string(),
  State: z.object({
    Status: z.string(),
    Running: z.boolean(),
    OOMKilled: z.boolean(),
    ExitCode: z.number(),
    Error: z.string(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: z.string() }).nullish(),
  }),
  Config: z.object({ Labels: labels, StopTimeout: z.number().nullish() }),
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ IPAddress: z.string().nullish() })).nullish(),
  }),
});

export const ContainerList = z.array(
  z.object({ Id: z.string(), Names: z.array(z.string()), State: z.string(), Labels: labels }),
);

export const NetworkDetail = z.object({
  Name: z.string(),
  Internal: z.boolean(),
  Options: labels,
  Labels: labels,
  IPAM: z.object({ Config: z.array(z.object({ Gateway: z.string().nullish() })).nullish() }).nullish(),
});

export const NetworkList = z.array(z.object({ Name: z.string(), Labels: labels }));
export const VolumeDetail = z.object({ Name: z.string(), Labels: labels });
export const VolumeList = z.object({ Volumes: z.array(VolumeDetail).nullish() });

const memoryDetail = z.record(z.string(), z.number()).nullish();
export const Stats = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number() }),
    system_cpu_usage: z.number().nullish(),
    online_cpus: z.number().nullish(),
  }),
  memory_stats: z.object({
    usage: z.number().nullish(),
    limit: z.number().nullish(),
    stats: memoryDetail,
  }),
  pids_stats: z.object({ current: z.number().nullish() }),
});

export const EngineEvent = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
  timeNano: z.number(),
});

export type ImageDetail = z.infer<typeof ImageDetail>;
export type ContainerDetail = z.infer<typeof ContainerDetail>;
export type NetworkDetail = z.infer<typeof NetworkDetail>;
export type Stats = z.infer<typeof Stats>;
export type EngineEvent = z.infer<typeof EngineEvent>;
