import { readBuildTrace } from '../../engine/build-trace.ts';
import type { Engine } from '../../engine/engine.ts';
import { EngineError, hasCode } from '../../engine/engine-error.ts';
import { LABELS, type Names } from '../../engine/names.ts';
import { createLineCutter } from '../../engine/read-lines.ts';
import { isHostsFault } from '../install-fault.ts';
import type { BuildOutcome, LineSink } from '../target.ts';
import { type ContextPlan, ContextRefused, openBuildContext } from './build-context.ts';
import { judgeDockerfile } from './dockerfile/judge-dockerfile.ts';

/** What a tail for people holds: the failing step and its last words. */
const TAIL_CHARS = 16 * 1024;
const TAIL_LINES = 200;
/** Steps that BuildKit takes for itself. */
const INTERNAL_STEP = /^(\[internal\]|copy \/context|exporting |resolve image config)/;

export interface ImageBuild {
  readonly engine: Engine;
  readonly names: Names;
  readonly context: ContextPlan;
  readonly dockerfile: string;
  /** What people know it as, where the box has put it elsewhere. */
  readonly dockerfileShownAs?: string;
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly buildArguments?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onLine: LineSink;
}

/** Builds and names an image; answers with its id. Rejects only when `signal` is aborted. */
export async function buildImage(o: ImageBuild): Promise<BuildOutcome> {
  const ended = AbortSignal.timeout(o.timeoutMs);
  const signal = AbortSignal.any([o.signal, ended]);
  const progress = createProgress(o.onLine);
  try {
    const refusal = await judgeDockerfile({
      ...o,
      ...(o.dockerfileShownAs === undefined ? {} : { shownAs: o.dockerfileShownAs }),
      args: o.buildArguments ?? {},
      target: o.target ?? null,
      boxName: o.names.box,
    });
    if (refusal !== null) {
      return { ok: false, cause: 'commit', detail: refusal.detail, outputTail: refusal.errors };
    }
    const { archive, leftOut } = await openBuildContext(o.context);
    for (const path of leftOut) o.onLine('stderr', `${path} leads out of the commit and is left out`);
    let image: string | null = null;
    let error: string | null = null;
    for await (const message of await o.engine.build({ ...o, ...cachesOf(o), context: archive, signal })) {
      const { id, aux, error: said } = message as BuildMessage;
      if (typeof said === 'string') error = said;
      else if (id === 'moby.buildkit.trace' && typeof aux === 'string') progress.take(aux);
      else if (id === 'moby.image.id' && typeof aux === 'object') image = aux?.ID ?? null;
    }
    progress.end();
    if (error !== null) return failedBuild(error, progress);
    if (image === null) {
      return {
        ok: false,
        cause: 'host',
        detail: 'the build ended without an image',
        outputTail: progress.tail(),
      };
    }
    return { ok: true, image };
  } catch (error) {
    o.signal.throwIfAborted();
    progress.end();
    if (ended.aborted) {
      const detail = `the build took more than ${Math.round(o.timeoutMs / 1000)} s`;
      return { ok: false, cause: 'commit', detail, outputTail: progress.tail() };
    }
    if (error instanceof ContextRefused) {
      return { ok: false, cause: 'commit', detail: error.message, outputTail: '' };
    }
    if (!(error instanceof EngineError)) throw error;
    // A Dockerfile that cannot be read is refused before any step.
    const isCommits =
      hasCode(error, 'failed') && /dockerfile parse error|failed to solve/i.test(error.message);
    const outputTail = progress.tail();
    return { ok: false, cause: isCommits ? 'commit' : 'host', detail: error.message, outputTail };
  }
}

/**
 * What one project's Dockerfile leaves in a cache (`--mount=type=cache`) is never mounted into another's,
 * nor into the builds that the box writes itself, which share theirs.
 */
function cachesOf(o: ImageBuild): { buildArguments?: Readonly<Record<string, string>> } {
  const isGenerated = o.context.under !== '';
  if (isGenerated) return {};
  const project = o.labels[LABELS.project] ?? o.tag;
  return { buildArguments: { ...o.buildArguments, BUILDKIT_CACHE_MOUNT_NS: `${o.names.box}/${project}` } };
}

interface BuildMessage {
  readonly id?: string;
  readonly aux?: string | { readonly ID?: string };
  readonly error?: string;
}

function failedBuild(error: string, progress: BuildProgress): BuildOutcome {
  const step = progress.failedStep();
  const tail = progress.tail();
  const isHosts =
    mayBeHosts(step, tail) ||
    /no space left on device|TLS handshake timeout|i\/o timeout|connection (refused|reset)|no such host|temporary failure in name/i.test(
      error,
    );
  const detail = step === null ? `the build failed: ${error}` : `the build failed at ${step}: ${error}`;
  return { ok: false, cause: isHosts ? 'host' : 'commit', detail: detail.slice(0, 1_000), outputTail: tail };
}

/** Not where the step had no network to miss, nor where it looked for something beside itself. */
function mayBeHosts(step: string | null, tail: string): boolean {
  if (step !== null && /^\[[^\]]*\] RUN --network=none /.test(step)) return /ENOSPC|EDQUOT|ENOMEM/.test(tail);
  const lines = tail.split('\n').filter((line) => !/ECONNREFUSED (127\.|::1)/.test(line));
  return isHostsFault(lines.join('\n'));
}

type BuildProgress = ReturnType<typeof createProgress>;

/** Tells steps and what they print, line by line, and keeps the end of each step's. */
function createProgress(onLine: LineSink) {
  const names = new Map<string, string>();
  const told = new Set<string>();
  const lines = new Map<string, string[]>();
  const cutters = new Map<string, ReturnType<typeof createLineCutter>>();
  let failed: { id: string; name: string } | null = null;
  let lastId: string | null = null;

  function cutterOf(stepId: string, stream: 'stdout' | 'stderr') {
    const key = `${stream} ${stepId}`;
    let cutter = cutters.get(key);
    if (!cutter) {
      cutter = createLineCutter((line) => {
        const kept = lines.get(stepId) ?? [];
        kept.push(line);
        if (kept.length > TAIL_LINES * 2) kept.splice(0, TAIL_LINES);
        lines.set(stepId, kept);
        lastId = stepId;
        onLine(stream, line);
      });
      cutters.set(key, cutter);
    }
    return cutter;
  }

  return {
    take(base64: string): void {
      const { steps, logs } = readBuildTrace(base64);
      for (const { id, name, hasStarted, isCached, error } of steps) {
        names.set(id, name);
        if (hasStarted && !told.has(id) && !INTERNAL_STEP.test(name)) {
          told.add(id);
          onLine('stdout', isCached ? `${name} (cached)` : name);
        }
        if (error !== '' && !/canceled/.test(error)) failed ??= { id, name };
      }
      for (const { stepId, stream, text } of logs) cutterOf(stepId, stream).push(text);
    },
    end(): void {
      for (const cutter of cutters.values()) cutter.end();
    },
    failedStep: () => (failed === null ? null : failed.name),
    /** The failing step and the end of what it printed; else the end of the last step that printed. */
    tail(): string {
      const id = failed?.id ?? lastId;
      if (id === null) return '';
      const kept = (lines.get(id) ?? []).slice(-TAIL_LINES);
      return [names.get(id) ?? '', ...kept].join('\n').slice(-TAIL_CHARS);
    },
  };
}
