import type { Attachment, CodePayload, EngineName } from '@dbox/contracts';
import type { BaseTree } from '../base-tree.ts';

export interface WriteRequest {
  /** A git repository with the attempt's start laid out; the engine changes files in it and commits nothing. */
  readonly tree: string;
  readonly base: BaseTree;
  readonly payload: CodePayload;
  readonly project: string;
  /** When the job was made: the only time an engine may use, so that a repeated lease writes the same bytes. */
  readonly createdAt: string;
  readonly readAttachment: () => Promise<Attachment | null>;
  readonly log: (text: string) => void;
  readonly signal: AbortSignal;
}

/** `commit`: another attempt may mend it. `host`: the same again may succeed. `final`: no try can mend it. */
export interface EngineFailure {
  readonly cause: 'commit' | 'host' | 'final';
  readonly detail: string;
}

export interface Written {
  /** One sentence: what was written. */
  readonly summary: string;
}

/**
 * Writes one attempt of a task into a tree. The same request gives the same bytes. A failure that the
 * engine understands is returned; what it throws counts as the host's.
 */
export interface Engine {
  readonly name: EngineName;
  write(request: WriteRequest): Promise<Written | EngineFailure>;
}

export function isFailure(outcome: Written | EngineFailure): outcome is EngineFailure {
  return 'cause' in outcome;
}
