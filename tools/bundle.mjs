// Purge, bundle and minify the static files; tools/assets.py starts it and compresses the result.
//
// In:  JSON {folder, out, entries, words, readers}; `entries` are relative to `folder`, `out` is absolute.
// Out: JSON {logical name: hashed name}, or one line on stderr that says where and why it failed, and exit code 1.

import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';

import { build } from 'esbuild';
import { PurgeCSS } from 'purgecss';

// The oldest that know :has() and container queries; what is newer, such as nested rules, is written out for them.
const BROWSERS = ['chrome109', 'firefox121', 'safari16'];

/**
 * Return the base style sheet without the rules, custom properties and key frames that nobody uses.
 *
 * `words` are the classes, tags and attributes that may occur; `readers` are the words of our own style sheets and
 * scripts, whose custom properties and key frames stay.
 */
async function purged(path, { words, readers }) {
  const reads = readers.filter((word) => word.startsWith('--')).map((name) => `var(${name})`);
  const results = await new PurgeCSS().purge({
    content: [{ raw: '', extension: 'words' }],
    defaultExtractor: () => words,
    // One after another: what we read of the base sheet is known before the base sheet is cut.
    css: [{ raw: `:root{all:${reads.join(' ')}}` }, { raw: await readFile(path, 'utf8') }],
    // The form library writes the types of inputs.
    dynamicAttributes: ['type'],
    keyframes: true,
    variables: true,
    safelist: {
      // A part that names neither class, tag nor attribute (`&` and `:hover` of nested rules) asks for nothing.
      standard: [/^[&:]/],
      keyframes: readers,
    },
  });
  return results.at(-1).css;
}

/** Return the plug-in that hands esbuild the purged base sheet, and the scripts of packages as they are. */
function packagePlugin(request) {
  return {
    name: 'packages',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]vendor[\\/]tabler\.css$/ }, async ({ path }) => {
        try {
          return { contents: await purged(path, request), loader: 'css' };
        } catch ({ message, reason: text = message, line = 0 }) {
          return { errors: [{ text, location: { file: relative(request.folder, path), line } }] };
        }
      });
      onLoad({ filter: /[\\/]vendor[\\/][^\\/]+\.js$/ }, async ({ path }) => ({
        contents: (await readFile(path, 'utf8')).replace(/^\/\/# sourceMappingURL=.*$/m, ''),
        loader: 'copy',
      }));
    },
  };
}

async function main() {
  const request = JSON.parse(await text(process.stdin));
  const { folder, out, entries } = request;
  const { metafile, warnings } = await build({
    absWorkingDir: folder,
    entryPoints: entries,
    outbase: folder,
    outdir: out,
    entryNames: '[dir]/[name].[hash]',
    assetNames: '[dir]/[name].[hash]',
    chunkNames: 'js/[name].[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    minify: true,
    target: BROWSERS,
    legalComments: 'inline',
    loader: { '.svg': 'copy', '.woff2': 'copy' },
    plugins: [packagePlugin(request)],
    metafile: true,
    logLevel: 'silent',
  });
  if (warnings.length) throw Object.assign(new Error(), { errors: warnings });
  const files = {};
  for (const [path, { entryPoint, inputs }] of Object.entries(metafile.outputs)) {
    const hashed = relative(out, join(folder, path)).replaceAll('\\', '/');
    const sources = Object.keys(inputs);
    // A chunk that several scripts share has no name of its own.
    files[entryPoint ?? (hashed.endsWith('.js') ? hashed : sources[0])] = hashed;
  }
  process.stdout.write(JSON.stringify(files));
}

/** Return where and why it failed, in one line. */
function reason(error) {
  const first = error.errors?.[0];
  if (!first) return error.message;
  return first.location ? `${first.location.file}:${first.location.line}: ${first.text}` : first.text;
}

main().catch((error) => {
  process.stderr.write(`${reason(error)}\n`);
  process.exitCode = 1;
});
