import type { Finding } from '@dbox/contracts';
import type { FindingList } from '../findings/finding-list.ts';
import { createFindingList, quoted, START_OF_FILE } from '../findings/finding-list.ts';
import { refuseImageName } from '../image-name.ts';
import { fillVariables } from './fill-variables.ts';
import type { Instruction } from './parse-dockerfile.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

export interface DockerfileToLint {
  readonly text: string;
  /** Its path in the commit. */
  readonly file: string;
  /** Arguments that the build is given. */
  readonly args: Readonly<Record<string, string>>;
  /** Null: the last stage is what is built. */
  readonly target: string | null;
  /** Images of this name are the box's own. */
  readonly boxName: string;
}

export interface LintedDockerfile {
  /** With an error among them it must not be built. */
  readonly findings: Finding[];
  /** TCP ports that the built stage exposes by number; what its base exposes is not known. */
  readonly exposedPorts: readonly number[];
}

const MAX_BYTES = 256 * 1024;

interface Stage {
  readonly name: string | null;
  readonly base: string;
  readonly line: number;
  readonly ports: number[];
}

/**
 * Looks in a project's own Dockerfile for what would give its build more than the commit and the public
 * network: other frontends, the network or rights of the host, images of the box. What else may be
 * wrong with it, the builder says.
 *
 * Caches (`--mount=type=cache`) are let through: whoever builds has to give the build argument
 * `BUILDKIT_CACHE_MOUNT_NS`, so that no project reads what another has left in one.
 */
export function lintDockerfile(given: DockerfileToLint): LintedDockerfile {
  const findings = createFindingList(given.file);
  const { text } = given;
  if (Buffer.byteLength(text) > MAX_BYTES || text.includes('\0')) {
    const message = text.includes('\0')
      ? 'The file is no text.'
      : `The file is larger than ${MAX_BYTES / 1024} KiB.`;
    findings.add(START_OF_FILE, { code: 'bad_file', message, hint: 'Write a plain Dockerfile.' });
    return { findings: findings.sorted(), exposedPorts: [] };
  }
  const { instructions, everyLine, head } = parseDockerfile(text);
  const lint = new DockerfileLint(given, findings);
  for (const { text: comment, line } of head) lint.readComment(comment, line);
  // JSON is read as a frontend's settings.
  if (/^\s*\{/.test(text)) lint.add(1, 'bad_file', 'This is no Dockerfile.', 'Write a plain Dockerfile.');
  for (const instruction of instructions) lint.readStage(instruction);
  for (const instruction of instructions) lint.judge(instruction);
  for (const instruction of everyLine) lint.judge(instruction);
  if (lint.stages.length === 0) {
    lint.add(
      1,
      'no_from',
      'The file has no FROM.',
      'Begin with an image, such as `FROM node:24-bookworm-slim`.',
    );
  }
  return { findings: findings.sorted(), exposedPorts: lint.exposedPorts() };
}

class DockerfileLint {
  readonly stages: Stage[] = [];
  readonly #given: DockerfileToLint;
  readonly #findings: FindingList;
  /** What may stand in a FROM: the arguments before the first one. */
  readonly #globals = new Map<string, string>();

  constructor(given: DockerfileToLint, findings: FindingList) {
    this.#given = given;
    this.#findings = findings;
  }

  add(line: number, code: string, message: string, hint: string): void {
    this.#findings.add({ line, column: 1, path: '' }, { code, message, hint });
  }

  readComment(text: string, line: number): void {
    if (!/^\s*(#|\/\/)\s*syntax\s*=/i.test(text)) return;
    const message = 'A `syntax` line would have another program read this file, which is not run.';
    this.add(
      line,
      'syntax_line',
      message,
      "Delete the line: the engine's own reader knows the same instructions.",
    );
  }

  /** Stages, their ports, and the arguments that a FROM may hold. */
  readStage({ name, rest, line }: Instruction): void {
    if (name === 'ARG' && this.stages.length === 0) this.#readArguments(rest);
    if (name === 'FROM') {
      const { image, as } = readFrom(rest);
      this.stages.push({ name: as, base: fillVariables(image, this.#globals) ?? image, line, ports: [] });
    }
    if (name !== 'EXPOSE') return;
    for (const port of rest.split(/\s+/)) {
      const read = /^(\d{1,5})(?:\/tcp)?$/i.exec(port);
      if (read !== null) this.stages.at(-1)?.ports.push(Number(read[1]));
    }
  }

  judge(instruction: Instruction): void {
    const { name, rest, line } = instruction;
    if (name === 'ONBUILD') {
      const inner = /^([A-Za-z]+)\s+(.*)$/s.exec(rest);
      if (inner) this.judge({ name: inner[1]!.toUpperCase(), rest: inner[2]!, line });
    } else if (name === 'FROM') this.#judgeFrom(instruction);
    else if (name === 'RUN') this.#judgeRun(instruction);
    else if (name === 'COPY') this.#judgeCopy(instruction);
    else if (name === 'ADD') this.#judgeAdd(instruction);
  }

  exposedPorts(): number[] {
    const { target } = this.#given;
    const wanted = target?.toLowerCase() ?? null;
    let at = this.stages.length - 1;
    if (wanted !== null)
      at = this.stages.findIndex((stage, n) => stage.name === wanted || String(n) === wanted);
    const ports = new Set<number>();
    // A stage that begins with an earlier one exposes what that does.
    while (at >= 0) {
      const stage = this.stages[at]!;
      for (const port of stage.ports) ports.add(port);
      at = this.#stageBefore(stage.base, at);
    }
    return [...ports].sort((a, b) => a - b);
  }

  #stageBefore(name: string, before: number): number {
    return this.stages.slice(0, before).findLastIndex((stage) => stage.name === name.toLowerCase());
  }

  #readArguments(rest: string): void {
    for (const written of rest.split(/\s+/)) {
      const [, name, value] = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(written) ?? [];
      if (name === undefined) continue;
      const { args } = this.#given;
      const text = Object.hasOwn(args, name) ? args[name] : value?.replaceAll(/^(["'])(.*)\1$/g, '$2');
      const filled = text === undefined ? null : fillVariables(text, this.#globals);
      if (filled !== null) this.#globals.set(name, filled);
    }
  }

  #judgeFrom({ rest, line }: Instruction): void {
    const { image } = readFrom(rest);
    const filled = fillVariables(image, this.#globals);
    if (filled === null) {
      const message = `It cannot be told which image ${quoted(image)} is.`;
      this.add(
        line,
        'bad_image',
        message,
        'Write the image out, or give its ARG a default before the first FROM.',
      );
    } else this.#judgeImage(filled, line, line);
  }

  /** An image, or a stage of this file; a FROM knows those before it alone. */
  #judgeImage(name: string, line: number, before = Number.POSITIVE_INFINITY): void {
    const isStage = this.stages.some((stage) => stage.name === name.toLowerCase() && stage.line < before);
    if (isStage || name.toLowerCase() === 'scratch' || name === '') return;
    const refusal = refuseImageName(name, { boxName: this.#given.boxName });
    if (refusal !== null) this.add(line, 'bad_image', `${quoted(name)}: ${refusal.message}`, refusal.hint);
  }

  #judgeRun({ rest, line }: Instruction): void {
    for (const { flag, value } of flagsOf(rest)) {
      if (flag === 'network' && value !== 'default' && value !== 'none') {
        const message = `\`--network=${value.slice(0, 60)}\` would give the build another network than its own.`;
        this.add(line, 'host_network', message, 'Leave `--network` out.');
      } else if (flag === 'security' && value !== 'sandbox') {
        const message = `\`--security=${value.slice(0, 60)}\` would give the build the rights of the host.`;
        this.add(line, 'insecure_build', message, 'Leave `--security` out.');
      } else if (flag === 'device') {
        this.add(line, 'device', 'A build gets no devices.', 'Leave `--device` out.');
      } else if (flag === 'mount') this.#judgeMount(value, line);
    }
  }

  #judgeMount(value: string, line: number): void {
    const options = new Map<string, string>();
    for (const option of value.split(',')) {
      const cut = option.indexOf('=');
      const key = (cut < 0 ? option : option.slice(0, cut)).trim().toLowerCase();
      options.set(key, cut < 0 ? '' : option.slice(cut + 1).trim());
    }
    const type = options.get('type') ?? 'bind';
    if (type === 'ssh' || type === 'secret') {
      const what = type === 'ssh' ? 'keys' : 'secrets';
      const hint = `Leave \`--mount=type=${type}\` out: what the app needs when it runs is set with \`dbox env set\`.`;
      this.add(line, 'secret_mount', `A build gets no ${what}.`, hint);
    } else if (!['bind', 'cache', 'tmpfs'].includes(type)) {
      const message = `Nothing of the type ${quoted(type)} can be mounted into a build.`;
      this.add(line, 'bad_mount', message, 'Use `type=bind`, `type=cache` or `type=tmpfs`.');
    } else this.#judgeSource(options.get('from'), line);
  }

  #judgeCopy({ rest, line }: Instruction): void {
    for (const { flag, value } of flagsOf(rest)) if (flag === 'from') this.#judgeSource(value, line);
  }

  /** Where a COPY or a mount takes files from: a stage by name or number, or an image. */
  #judgeSource(from: string | undefined, line: number): void {
    if (from === undefined || from === 'context' || /^\d{1,3}$/.test(from)) return;
    const filled = fillVariables(from, this.#globals);
    if (filled !== null) this.#judgeImage(filled, line);
    else this.add(line, 'bad_image', `It cannot be told what ${quoted(from)} is.`, 'Write the name out.');
  }

  /** The engine itself would fetch it, from the network of the host. */
  #judgeAdd({ rest, line }: Instruction): void {
    const sources = rest.replace(/^(--\S+\s+)*/, '');
    const isHeredoc = /^["']?\d*<</.test(sources);
    const isRemote = /(?:^|[\s"'[,])(?:[a-z][a-z0-9+.-]*:\/\/|[\w.-]+@[\w.-]+:)/i.test(sources);
    if (isRemote) {
      const message = 'The engine would fetch this from the network of the host.';
      this.add(
        line,
        'remote_add',
        message,
        'Fetch it in a RUN, with curl and a checksum, or keep it in the project.',
      );
    } else if (!isHeredoc && sources.includes('$')) {
      const message = 'It cannot be told what this ADD takes: it may be an address.';
      this.add(line, 'remote_add', message, 'Use COPY, which takes files of the project alone.');
    }
  }
}

function readFrom(rest: string): { image: string; as: string | null } {
  const words = rest.split(/\s+/).filter((word) => !word.startsWith('--'));
  const image = words[0]?.replace(/^(["'])(.*)\1$/, '$2') ?? '';
  const as = words[1]?.toLowerCase() === 'as' ? (words[2]?.toLowerCase() ?? null) : null;
  return { image, as };
}

/** The `--flag=value` words before what an instruction is about. */
function flagsOf(rest: string): { flag: string; value: string }[] {
  const flags: { flag: string; value: string }[] = [];
  const pattern = /\s*--([A-Za-z][A-Za-z-]*)(?:=("(?:[^"\\]|\\.)*"|'[^']*'|\S*))?(?=\s|$)/y;
  for (;;) {
    const read = pattern.exec(rest);
    if (read === null) return flags;
    const value = (read[2] ?? '').replaceAll(/["'\\]/g, '');
    flags.push({ flag: read[1]!.toLowerCase(), value });
  }
}
