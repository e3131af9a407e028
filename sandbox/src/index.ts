export { TREE_INSIDE } from './bubblewrap-arguments.ts';
export type { InstallOptions } from './install-dependencies.ts';
export { causeOfFailedInstall, installDependencies, needsInstall } from './install-dependencies.ts';
export { endMarked } from './marked-processes.ts';
export type { OpenSandboxOptions } from './open-sandbox.ts';
export { openSandbox } from './open-sandbox.ts';
export type {
  CommandLimits,
  CommandOutcome,
  Mount,
  Sandbox,
  SandboxCommand,
  SandboxedProcess,
} from './sandbox.ts';
export type { Toolchain } from './toolchain.ts';
export { findToolchain } from './toolchain.ts';
