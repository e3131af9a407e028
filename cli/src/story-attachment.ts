import type { StoryReport } from '@dbox/contracts';
import type { CommandContext } from './command-context.ts';
import { SCRIPTED_NOTE, TEMPLATE_NOTE } from './engine-note.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { listenForInterrupt } from './interrupt.ts';
import { plainLine } from './plain-text.ts';
import { openProgressDisplay } from './progress-display.ts';
import { formatDuration } from './quantities.ts';
import { followStory } from './story-follower.ts';
import { applyEvent, applyReport, NO_PROGRESS } from './story-progress.ts';

const STORY_EXIT: Readonly<Record<string, ExitCode>> = {
  delivered: EXIT.ok,
  failed: EXIT.failed,
  cancelled: EXIT.usage,
  blocked: EXIT.waits,
};

/** Shows a story until it has settled; then its report is the answer and its status the exit code. */
export async function attachToStory(context: CommandContext, storyId: string): Promise<ExitCode> {
  const { output, clock, box } = context;
  const interrupt = listenForInterrupt();
  const display = openProgressDisplay(output, clock);
  let progress = NO_PROGRESS;
  try {
    const report = await followStory({
      box,
      clock,
      storyId,
      signal: interrupt.signal,
      observer: {
        report: (next) => {
          const step = applyReport(progress, next, clock.now());
          progress = step.progress;
          display.show(step);
        },
        event: (event) => {
          const step = applyEvent(progress, event);
          progress = step.progress;
          display.show(step);
          output.detail(`${event.seq} ${plainLine(event.type)} ${plainLine(event.subject)}`);
        },
        connection: (state) =>
          display.say(
            state === 'down'
              ? 'The box does not answer; waiting for it. `./dbox up` starts it; the story is kept.'
              : 'The box is back; the story goes on.',
          ),
      },
    });
    display.close();
    if (report !== null) return answerReport(context, report);
    output.warn(
      `Detached; the story goes on in the box. Attach again with \`./dbox story --follow ${storyId}\`.`,
    );
    return EXIT.usage;
  } finally {
    display.close();
    interrupt.stop();
  }
}

/** The last words on stderr, the address on stdout, all of it as JSON with `--json`. */
export function answerReport({ output }: Pick<CommandContext, 'output'>, report: StoryReport): ExitCode {
  const { story, project, url, tasks } = report;
  const elapsed = formatDuration(report.elapsedMs);
  if (story.status === 'delivered') {
    output.note(output.err('green', `✓ ${project.name} is delivered (${elapsed}).`));
    const engines = new Set(tasks.map((task) => task.engine).filter((engine) => engine !== null));
    if (engines.has('template')) output.note(TEMPLATE_NOTE);
    if (engines.has('scripted')) output.note(SCRIPTED_NOTE);
    if (url === null)
      output.note(`It has nothing to run. Get the code with \`./dbox clone ${project.name}\`.`);
    else output.answer(plainLine(url));
  } else {
    const reason = story.reason === null ? '' : `: ${plainLine(story.reason)}`;
    output.problem(output.err('red', `✗ The story is ${story.status}${reason} (${elapsed}).`));
    for (const task of tasks) {
      // Of one task the story's own reason has said it.
      if (task.reason === null || story.reason?.includes(task.reason)) continue;
      output.problem(`  ${task.id} is ${task.status}: ${plainLine(task.reason)}`);
    }
    const worst = tasks.find((task) => task.status === 'failed' || task.status === 'blocked');
    if (worst) {
      output.note(`See \`./dbox show ${worst.id}\` and \`./dbox logs ${worst.id}\`.`);
      output.note(`Try again with \`./dbox retry ${story.id}\`.`);
    }
  }
  output.answerJson(report);
  return STORY_EXIT[story.status] ?? EXIT.failed;
}
