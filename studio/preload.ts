/** Has the browser fetch the page's scripts as soon as it reads the page. */

import type { Plugin } from "vite";

/** Names in the page what its first script imports only after a look at the browser: the two come at the same time, not
 * one after the other. */
export function preload(): Plugin {
  return {
    name: "preload",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter((file) => file.type === "chunk");
        const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
        const entries = chunks.filter((chunk) => chunk.isEntry);
        const needed = new Set(entries.flatMap((entry) => entry.dynamicImports));
        for (const name of needed) for (const imported of byName.get(name)?.imports ?? []) needed.add(imported);
        for (const known of entries.flatMap((entry) => entry.imports)) needed.delete(known); // Vite names them
        return [...needed].map((name) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `./${name}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}
