export { createTemplatePlanner } from './template-planner.ts';
