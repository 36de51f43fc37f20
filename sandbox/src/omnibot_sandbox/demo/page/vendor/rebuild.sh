#!/usr/bin/env bash
# Makes the third-party files of this folder again, in exactly the versions of versions.json. Needs node, npm and Python;
# nothing here is needed to run the page.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private": true, "type": "module"}' > package.json
wanted() { node -p "Object.entries(require('$here/versions.json')['$1']).map((pair) => pair.join('$2')).join('\n')"; }
mapfile -t packages < <(wanted npm @)
npm install --silent --no-audit --no-fund --no-package-lock "${packages[@]}"
mapfile -t packages < <(wanted python ==)
"${PYTHON:-python3}" -m venv python
python/bin/pip install --quiet --disable-pip-version-check "${packages[@]}"

cat > preact.js <<'ENTRY'
import { h } from "preact";
import htm from "htm";
export { h, render, createContext, Component, Fragment } from "preact";
export { useState, useEffect, useRef, useMemo, useCallback, useLayoutEffect, useContext, useId } from "preact/hooks";
export { memo, createPortal } from "preact/compat";
export const html = htm.bind(h);
ENTRY
echo 'export { default } from "markdown-it";' > markdown-it.js

cat > build.mjs <<'BUILD'
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";

const out = process.argv[2];
const fonts = `${out}/fonts`;
const licences = `${out}/licences`;
for (const folder of [fonts, licences]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}
const used = new Set(["emoji-datasource", "@fontsource/lato", "@fontsource/noto-color-emoji"]);

for (const name of ["preact", "markdown-it"]) {
  const { metafile } = await build({
    entryPoints: [`${name}.js`], outfile: `${out}/${name}.js`,
    bundle: true, minify: true, format: "esm", target: "es2022", metafile: true, legalComments: "none",
    banner: { js: "// Third-party code, built by rebuild.sh; see versions.json and licences/." },
  });
  for (const file of Object.keys(metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
    if (found) used.add(found[1]);
  }
}

// Slack takes its names from the same table.
const emoji = JSON.parse(readFileSync("node_modules/emoji-datasource/emoji.json", "utf8"));
const char = (one) => String.fromCodePoint(...one.unified.split("-").map((code) => parseInt(code, 16)));
emoji.sort((a, b) => a.sort_order - b.sort_order);
const names = emoji.flatMap((one) => one.short_names.map((name) => `${name} ${char(one)}`));
writeFileSync(`${out}/emoji.js`, "// Names of emoji, built by rebuild.sh from emoji-datasource; see versions.json and licences/.\n"
  + `export default ${JSON.stringify(names.join(" "))};\n`);

const common = new Set(readFileSync(`${out}/common-emoji.txt`, "utf8").split(/\s+/));
const drawn = emoji.filter((one) => one.short_names.some((name) => common.has(name))).map(char).join("");
writeFileSync("drawn.txt", drawn);
for (const set of ["latin", "latin-ext"]) {
  for (const face of ["400-normal", "400-italic", "700-normal", "700-italic", "900-normal"]) {
    const file = `lato-${set}-${face}.woff2`;
    cpSync(`node_modules/@fontsource/lato/files/${file}`, `${fonts}/${file}`);
  }
}

for (const name of [...used].sort()) {
  const folder = `node_modules/${name}`;
  const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  if (!licence) throw new Error(`no licence in ${name}`);
  const text = readFileSync(`${folder}/${licence}`, "utf8").trim().replace(/[ \t]+$/gm, "");
  writeFileSync(`${licences}/${name.replace("/", "-").replace("@", "")}.txt`, text + "\n");
}
BUILD
node build.mjs "$here"
python/bin/pyftsubset node_modules/@fontsource/noto-color-emoji/files/noto-color-emoji-emoji-400-normal.woff2 \
  --text-file=drawn.txt --flavor=woff2 --drop-tables+=SVG --output-file="$here/fonts/emoji.woff2"
ls -l "$here" "$here/fonts"
