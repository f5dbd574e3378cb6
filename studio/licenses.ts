/** Writes licenses.txt into the built page: the license of each package that the page may be built from. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

interface LockedPackage {
  version?: string;
  license?: string;
  dev?: boolean;
}

/** Types alone, of which nothing is built. */
const TYPES = /^node_modules\/(@types|@pixiv\/types-|undici-types)/;
/** Of those that come without their text: whose copyright it is. */
const HOLDERS: Readonly<Record<string, string>> = {
  "onnxruntime-web": "Microsoft Corporation",
  "onnxruntime-common": "Microsoft Corporation",
  "guid-typescript": "nicolas",
};
const LICENSE_FILE = /^(licen[cs]e|notice|third-?party)/i;

/** folder: holds package-lock.json and node_modules. */
export function licenses(folder: string): Plugin {
  return {
    name: "licenses",
    apply: "build",
    generateBundle() {
      this.emitFile({ type: "asset", fileName: "licenses.txt", source: licensesText(folder) });
    },
  };
}

function licensesText(folder: string): string {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(folder, "package-lock.json"), "utf8"),
  );
  const parts = Object.entries(lock.packages)
    .filter(([place, entry]) => place && !entry.dev && !TYPES.test(place))
    .map(([place, entry]) => {
      const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
      return `${name} ${entry.version} (${entry.license})\n\n${textOf(join(folder, place), name, entry.license)}\n`;
    });
  return ["The page of the MFN Studio is built from these packages of npm.\n", ...parts].join(
    `\n${"-".repeat(80)}\n\n`,
  );
}

/** The texts of a package's own license files. */
function textOf(folder: string, name: string, license: string | undefined): string {
  const files = readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim());
  if (texts.length) return texts.join("\n\n");
  if (name in HOLDERS) return `Copyright (c) ${HOLDERS[name]}\n\nhttps://spdx.org/licenses/${license}.html`;
  throw new Error(`${name} comes without a license's text: look for it, and name its holder in licenses.ts.`);
}
