/** Why an image of this name may not be used here, and what to write instead; null where it may. */
export function refuseImageName(
  name: string,
  own: { readonly boxName: string },
): { readonly message: string; readonly hint: string } | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/:@[\]-]{0,254}$/.test(name) || /\/[/.]|\.\.|\/$/.test(name)) {
    return { message: 'This is no name of an image.', hint: 'Write for example `postgres:17`.' };
  }
  // The engine takes the beginning of an image's id for a name, and would find any image that it has.
  if (/^(sha256:)?[0-9a-f]{6,64}$/.test(name)) {
    return {
      message: 'An image cannot be named by its id.',
      hint: 'Write its name, as `postgres:17`, or name and digest.',
    };
  }
  const { registry, repository } = splitImageName(name);
  // It is the engine that asks the registry, from the network of the host.
  if (registry !== null && /^(localhost|127\.|0\.0\.0\.0|169\.254\.|\[)/i.test(registry)) {
    return {
      message: `The registry ${registry} would be this machine itself.`,
      hint: 'Name a registry by its public name.',
    };
  }
  const first = repository.split('/').find((part) => part !== 'library') ?? '';
  if (/^dbox([^a-z0-9]|$)/.test(first) || first === own.boxName || first.startsWith(`${own.boxName}-`)) {
    return {
      message: 'Images of this name belong to the box and its other projects.',
      hint: 'Start from a public image, such as `node:24-bookworm-slim`.',
    };
  }
  return null;
}

/** `registry.example.org:5000/team/app:1@sha256:…` in its parts; the registry is null for the public one. */
export function splitImageName(name: string): { registry: string | null; repository: string } {
  const withoutDigest = name.split('@')[0]!;
  const parts = withoutDigest.split('/');
  const first = parts[0]!;
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const rest = (hasRegistry ? parts.slice(1) : parts).join('/');
  const repository = rest.replace(/:[^:/]*$/, '').toLowerCase();
  const registry = hasRegistry ? first.toLowerCase() : null;
  return {
    registry: registry === 'docker.io' || registry === 'index.docker.io' ? null : registry,
    repository,
  };
}
