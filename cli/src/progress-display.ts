import type { Clock } from './clock.ts';
import type { Output } from './output.ts';
import { cut } from './plain-text.ts';
import { formatDuration, formatTimeOfDay } from './quantities.ts';
import { statusMark } from './status-mark.ts';
import type { ProgressStep, StoryProgress } from './story-progress.ts';
import { NO_PROGRESS, PHASES } from './story-progress.ts';

const REDRAW_MS = 120;
/** More lines than this would scroll, and what has scrolled cannot be drawn over. */
const MOST_LINES = 12;

/** Shows how a story goes on, on stderr. */
export interface ProgressDisplay {
  show(step: ProgressStep): void;
  /** A line that stays, above what moves. */
  say(text: string): void;
  close(): void;
}

/** Live lines on a terminal, timestamped ones in a pipe, nothing with `-q`. */
export function openProgressDisplay(output: Output, clock: Clock): ProgressDisplay {
  if (output.quiet) return { show: () => {}, say: () => {}, close: () => {} };
  return output.live ? openLiveDisplay(output, clock) : openLineDisplay(output, clock);
}

function openLineDisplay(output: Output, clock: Clock): ProgressDisplay {
  const say = (text: string): void => output.note(`${formatTimeOfDay(clock.now())} ${text}`);
  return { show: (step) => step.changes.forEach(say), say, close: () => {} };
}

function openLiveDisplay(output: Output, clock: Clock): ProgressDisplay {
  const { stderr } = output;
  const over = new AbortController();
  let progress: StoryProgress = NO_PROGRESS;
  let drawn = 0;

  const erase = (): void => {
    if (drawn > 0) stderr.write(`\r\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    const lines = progressLines(progress, clock.now(), stderr.columns ?? 80, output);
    // One write, so that the terminal never shows a half-drawn picture.
    // What is typed, Ctrl-C too, is echoed and moves the cursor to the right.
    const up = drawn > 0 ? `\r\u001b[${drawn}A` : '';
    stderr.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[0J`);
    drawn = lines.length;
  };
  void (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(REDRAW_MS, over.signal);
      if (!over.signal.aborted) draw();
    }
  })();

  return {
    show: (step) => {
      progress = step.progress;
      draw();
    },
    say: (text) => {
      erase();
      output.note(text);
      draw();
    },
    close: () => {
      if (over.signal.aborted) return;
      over.abort();
      draw();
    },
  };
}

/** One line a task, cut to the window, the moving ones first where not all find room. */
export function progressLines(
  progress: StoryProgress,
  nowMs: number,
  columns: number,
  output: Pick<Output, 'err'>,
): string[] {
  if (progress.tasks.length === 0) {
    return progress.storyStatus === null ? [] : [output.err('dim', `○ ${progress.storyStatus}`)];
  }
  const fits = progress.tasks.length <= MOST_LINES;
  const moving = progress.tasks.filter((task) => task.endedAtMs === null);
  const shown = fits ? progress.tasks : moving.slice(0, MOST_LINES - 1);
  const idWidth = Math.min(30, Math.max(...shown.map((task) => task.id.length), 0));
  const lines = shown.map((task) => {
    const mark = statusMark(task.status);
    const attempt = task.attemptCount > 1 ? ` (attempt ${task.attemptCount})` : '';
    const elapsed =
      task.startedAtMs === null ? '' : formatDuration((task.endedAtMs ?? nowMs) - task.startedAtMs);
    const phase = `${PHASES[task.status] ?? task.status}${attempt}`;
    // What is said in words gives way, so that phase and time are always seen whole.
    const fixed = idWidth + phase.length + elapsed.length + 11;
    const words = cut(task.action ?? task.title, Math.max(0, columns - fixed));
    const rest = [phase, words, elapsed].filter((part) => part !== '').join(' · ');
    const room = Math.max(10, columns - idWidth - 5);
    return `${output.err(mark.style, mark.icon)} ${cut(task.id, idWidth).padEnd(idWidth)}  ${cut(rest, room)}`;
  });
  if (!fits) {
    const left = progress.tasks.length - shown.length;
    lines.push(output.err('dim', `  and ${left} more of ${progress.tasks.length} tasks`));
  }
  return lines;
}
