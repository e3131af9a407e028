/** Said wherever a result of the template engine is shown. */
export const TEMPLATE_NOTE =
  'Made by the template engine: no model is configured; this was built from a template. ' +
  'Connecting a model comes with the opencode engine.';

/** Said of results that come from recorded attempts. */
export const SCRIPTED_NOTE = 'Made by the scripted engine: recorded attempts were replayed.';
