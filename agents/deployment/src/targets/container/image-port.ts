/** What a release without a word about it is asked at; the port that generated images listen on. */
export const DEFAULT_PORT = 8080;

export type PortChoice =
  | { readonly ok: true; readonly port: number; readonly whySilent: string | null }
  | { readonly ok: false; readonly detail: string };

/** The port by which a release is reached: as the plan says, else the one its image exposes, else `PORT`. */
export function choosePort(o: {
  readonly planned: number | null;
  /** As the image has them: `8080/tcp`. */
  readonly exposed: readonly string[];
}): PortChoice {
  const exposed = o.exposed
    .map((port) => /^(\d{1,5})(?:\/tcp)?$/.exec(port)?.[1])
    .filter((port) => port !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const listed = exposed.join(', ');
  if (o.planned !== null) {
    const isOther = exposed.length > 0 && !exposed.includes(o.planned);
    const whySilent = isOther
      ? `dbox.yaml says \`port: ${o.planned}\`, and the image exposes ${listed}: name the port on which the app listens, on all addresses`
      : `the app must listen on port ${o.planned}, on all addresses (0.0.0.0), not on localhost alone`;
    return { ok: true, port: o.planned, whySilent };
  }
  const [only, ...others] = exposed;
  if (only === undefined) {
    const whySilent = `the image exposes no port, so PORT=${DEFAULT_PORT} was given and asked: listen on PORT on all addresses (0.0.0.0), or write \`EXPOSE\` or dbox.yaml's \`port\``;
    return { ok: true, port: DEFAULT_PORT, whySilent };
  }
  if (others.length === 0) {
    const whySilent = `the image exposes port ${only} and the app does not listen there on all addresses (0.0.0.0): make \`EXPOSE\` and the app agree`;
    return { ok: true, port: only, whySilent };
  }
  if (exposed.includes(DEFAULT_PORT)) {
    return {
      ok: true,
      port: DEFAULT_PORT,
      whySilent: `the image exposes ${listed}: name one with dbox.yaml's \`port\``,
    };
  }
  const detail = `the image exposes ${listed}: say which of them serves the site with \`port: ${only}\` in dbox.yaml`;
  return { ok: false, detail };
}
