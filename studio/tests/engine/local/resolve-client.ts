/** Lets Node find mfn-client, which is an alias of Vite's elsewhere: `node --import ./resolve-client.ts`. */

import { registerHooks } from "node:module";

const CLIENT = new URL("../../../../clients/javascript/src/index.ts", import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "mfn-client" ? { url: CLIENT, shortCircuit: true } : next(specifier, context),
});
