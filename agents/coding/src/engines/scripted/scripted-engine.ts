import type { Attachment } from '@dbox/contracts';
import type { Engine, EngineFailure, WriteRequest, Written } from '../engine.ts';
import { applyPatch } from './apply-patch.ts';
import { overlayFiles } from './overlay.ts';

/** Replays recorded attempts: the n-th is applied on attempt n. */
export function createScriptedEngine(): Engine {
  return { name: 'scripted', write: replay };
}

async function replay(request: WriteRequest): Promise<Written | EngineFailure> {
  const { attempt } = request.payload;
  const recorded = await request.readAttachment();
  if (recorded === null) return { cause: 'final', detail: `no attempt ${attempt} was recorded` };
  const failure =
    recorded.kind === 'directory'
      ? await overlayFiles(request.tree, recorded.files)
      : await replayPatch(request, recorded);
  return failure ?? { summary: `replayed ${recorded.attempt} as attempt ${attempt}` };
}

async function replayPatch(request: WriteRequest, recorded: Attachment): Promise<EngineFailure | null> {
  const { tree, signal, base } = request;
  const [file] = recorded.files;
  if (file === undefined) return { cause: 'commit', detail: `${recorded.attempt} holds no patch` };
  const patch = Buffer.from(file.contentBase64, 'base64');
  const onStart = await applyPatch({ tree, patch, signal });
  if (onStart === null) return null;
  const refused = (where: string, message: string): EngineFailure => ({
    cause: 'commit',
    detail: `${recorded.attempt} does not apply to ${where}: ${message}`,
  });
  if (!base.hasOtherMain) return refused('what is there', onStart);
  if (!(await base.layOut('main')))
    return refused('the former attempt, and main did not come with the job', onStart);
  request.log(`${recorded.attempt} does not apply to the former attempt; trying it on main`);
  const onMain = await applyPatch({ tree, patch, signal });
  return onMain === null ? null : refused('the former attempt or to main', onMain);
}
