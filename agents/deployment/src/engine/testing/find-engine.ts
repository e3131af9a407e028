import { createEngine } from '../engine.ts';

export const SOCKET = '/var/run/docker.sock';

/** Why tests of the real engine cannot run here; false where they can. With `DBOX_TEST_ENGINE=required` they must. */
export async function skipWithoutEngine(): Promise<string | false> {
  try {
    await createEngine({ socketPath: SOCKET, box: 'test' }).version();
    return false;
  } catch (error) {
    if (process.env.DBOX_TEST_ENGINE === 'required') throw error;
    return (error as Error).message;
  }
}
