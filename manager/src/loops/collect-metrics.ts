import type { AppContext } from '../app/context.ts';
import { toWireAgent } from '../app/views.ts';

/** Numbers for `/metrics`, read when somebody asks. */
export function collectFrom(context: AppContext) {
  return async () => {
    void context;
    void toWireAgent;
  };
}
