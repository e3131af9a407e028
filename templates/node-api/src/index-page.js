import { html } from './html.js';

/** The page that shows a person what the service can do. `address` is where they reached it. */
export function indexPage({ site, resources }, address) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="description" content="${site.description}">
    <title>${site.title}</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <header>
      <p class="eyebrow">REST service</p>
      <h1 dir="auto">${site.title}</h1>
      <p class="lead" dir="auto">${site.description}</p>
      <ul class="links">
        <li><a href="/openapi.json">OpenAPI description</a></li>
        <li><a href="/healthz">Health</a></li>
      </ul>
    </header>
    <main>
      ${resources.map((resource) => resourceSection(resource, address))}
      <section aria-labelledby="answers">
        <h2 id="answers">Answers</h2>
        <p>Bodies are JSON. A list is <code>{"items": […], "next": "…"}</code>; give <code>next</code> as
        <code>?after=</code> to read on, and <code>?limit=</code> (1 to 100) for the size of a page. What goes wrong is
        told as <code>application/problem+json</code>, with every wrong field under <code>errors</code>. Send the
        <code>ETag</code> of a record as <code>If-Match</code> to change only what you have seen.</p>
      </section>
    </main>
  </body>
</html>
`.toString();
}

function resourceSection(resource, address) {
  const { name, singular } = resource;
  const endpoints = [
    ['GET', `/${name}`, `List ${name}, oldest first`],
    ['POST', `/${name}`, `Add a ${singular}`],
    ['GET', `/${name}/{id}`, `Read a ${singular}`],
    ['PUT', `/${name}/{id}`, `Replace a ${singular}`],
    ['PATCH', `/${name}/{id}`, 'Change some of its fields'],
    ['DELETE', `/${name}/{id}`, `Remove a ${singular}`],
  ];
  return html`<section aria-labelledby="r-${name}">
        <h2 id="r-${name}" dir="auto">${resource.title}</h2>
        <p dir="auto">${resource.description}</p>
        <div class="table" role="region" aria-label="Calls" tabindex="0"><table>
          <thead><tr><th scope="col">Method</th><th scope="col">Address</th><th scope="col">What it does</th></tr></thead>
          <tbody>${endpoints.map(
            ([method, path, what]) => html`
            <tr><td><b class="verb ${method.toLowerCase()}">${method}</b></td><td><code>${path}</code></td><td>${what}</td></tr>`,
          )}
          </tbody>
        </table></div>
        <h3>Fields</h3>
        <dl>${Object.entries(resource.fields).map(
          ([field, { type, required, description }]) => html`
          <dt><code>${field}</code> <small>${TYPE_WORDS[type]}${required ? ', required' : ''}</small></dt>
          <dd dir="auto">${description ?? ''}</dd>`,
        )}
        </dl>
        <h3>Try it</h3>
        <pre tabindex="0"><code>curl -X POST ${address}/${name} \\
  -H 'content-type: application/json' \\
  -d '${JSON.stringify(exampleOf(resource))}'</code></pre>
      </section>
      `;
}

const TYPE_WORDS = {
  string: 'text',
  boolean: 'true or false',
  integer: 'whole number',
  strings: 'list of texts',
};

function exampleOf({ fields, singular }) {
  const examples = { string: `My first ${singular}`, boolean: true, integer: 1, strings: ['new'] };
  const required = Object.entries(fields).filter(([, field]) => field.required);
  const shown = required.length > 0 ? required : Object.entries(fields).slice(0, 1);
  return Object.fromEntries(shown.map(([name, field]) => [name, examples[field.type]]));
}
