/** Ids of tasks that can never start because something they need, directly or not, is in `dead`. */
export function dependentsOf(
  tasks: readonly { readonly id: string; readonly dependsOn: readonly string[] }[],
  dead: ReadonlySet<string>,
): Set<string> {
  const found = new Set<string>();
  for (let grew = true; grew; ) {
    grew = false;
    for (const task of tasks) {
      if (found.has(task.id) || dead.has(task.id)) continue;
      if (task.dependsOn.some((id) => dead.has(id) || found.has(id))) {
        found.add(task.id);
        grew = true;
      }
    }
  }
  return found;
}

/** New ids for a plan of which some are taken: each with the first free `-2`, `-3` … for the whole plan alike. */
export function suffixIds(ids: readonly string[], taken: ReadonlySet<string>): Map<string, string> {
  for (let n = 2; ; n++) {
    const renamed = ids.map((id) => suffixed(id, n));
    // Long ids that differ only where they are cut: no number for all alike tells them apart.
    if (new Set(renamed).size < ids.length) return suffixEach(ids, taken);
    if (renamed.every((id) => !taken.has(id))) {
      return new Map(ids.map((id, index) => [id, renamed[index]!]));
    }
  }
}

function suffixEach(ids: readonly string[], taken: ReadonlySet<string>): Map<string, string> {
  const used = new Set([...taken, ...ids]);
  const names = new Map<string, string>();
  for (const id of ids) {
    let n = 2;
    while (used.has(suffixed(id, n))) n++;
    names.set(id, suffixed(id, n));
    used.add(suffixed(id, n));
  }
  return names;
}

function suffixed(id: string, n: number): string {
  return `${id.slice(0, 80 - `-${n}`.length)}-${n}`;
}

/** `blog`, then `blog-2`, `blog-3` …: the first that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let n = 2; ; n++) {
    const candidate = `${name.slice(0, 48 - `-${n}`.length).replace(/-+$/, '')}-${n}`;
    if (!taken.has(candidate)) return candidate;
  }
}
