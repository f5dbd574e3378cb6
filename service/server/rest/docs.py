"""The page at /docs: shows /openapi.json, with a form to try a picture. It loads nothing from other servers."""

from typing import Final

DOCS_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MFN</title>
<script>
  const base = document.createElement("base");  /* links are beside this page, also as /docs/ */
  base.href = location.pathname.replace(/[/]$/, "");
  document.head.append(base);
</script>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
  section { border-top: 1px solid #8884; margin-top: 1.5rem; }
  code, pre { font: 14px/1.4 ui-monospace, monospace; }
  pre { background: #8881; padding: 0.7rem; overflow: auto; max-height: 24rem; }
  td { padding: 0 1rem 0.2rem 0; vertical-align: top; }
</style>
<h1 id="title">MFN</h1>
<p><a href="openapi.json">openapi.json</a> describes the same for programs. Streams are no part of it: over WebSocket at
  /retarget/stream see docs/websocket.md, over gRPC proto/mfn/v1/retarget.proto of the source.</p>
<form id="try">
  <h2>Try a picture</h2>
  <input type="file" accept="image/jpeg,image/png,image/webp,image/avif" required>
  <input name="query" size="40" value="include=landmarks,blendshapes" aria-label="query parameters">
  <button>POST /retarget</button>
  <pre id="answer" hidden></pre>
</form>
<div id="paths"></div>
<script>
  const element = (name, text, ...children) => {
    const node = document.createElement(name);
    node.textContent = text;
    node.append(...children);
    return node;
  };
  const row = (...cells) => element("tr", "", ...cells.map((cell) => element("td", cell)));
  const range = (schema) => [
    schema.type,
    schema.minimum !== undefined ? `${schema.minimum} to ${schema.maximum}` : "",
    schema.default !== undefined && schema.default !== "" ? `default ${schema.default}` : "",
  ].filter(Boolean).join(", ");
  const written = (api, schema) => JSON.stringify(
    schema, (key, value) => value?.$ref ? api.components.schemas[value.$ref.split("/").pop()] : value, 1);

  fetch("openapi.json").then((answer) => answer.json()).then((api) => {
    document.getElementById("title").textContent = `${api.info.title} ${api.info.version}: ${api.info.summary}`;
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const section = element("section", "", element("h2", `${method.toUpperCase()} ${path}`),
          element("p", operation.description || ""));
        const table = element("table", "");
        for (const parameter of operation.parameters || []) {
          table.append(row(parameter.name, range(parameter.schema), parameter.description || ""));
        }
        for (const type of Object.keys(operation.requestBody?.content || {})) {
          table.append(row("body", type, operation.requestBody.description));
        }
        for (const [status, response] of Object.entries(operation.responses)) {
          table.append(row(status, Object.keys(response.content || {}).join(), response.description));
        }
        section.append(table);
        const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
        if (schema) {
          section.append(
            element("details", "", element("summary", "schema of the answer"), element("pre", written(api, schema))));
        }
        document.getElementById("paths").append(section);
      }
    }
  });

  document.getElementById("try").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [file, query] = event.target.elements;
    const answer = await fetch(`retarget?${query.value}`, {
      method: "POST", body: file.files[0], headers: { "Content-Type": file.files[0].type },
    });
    const output = document.getElementById("answer");
    output.hidden = false;
    output.textContent = `${answer.status}\\n${JSON.stringify(await answer.json(), null, 1)}`;
  });
</script>
</html>
"""
