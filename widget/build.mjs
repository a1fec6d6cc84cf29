// Builds static/ from widget/src; with --check compares instead of writing.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { build, transform } from 'esbuild';
import { minify } from 'terser';

const folder = new URL('../static/', import.meta.url);
const source = (name) => new URL(`src/${name}`, import.meta.url).pathname;

/** Style sheets and markup become strings in the bundle, minified. */
const assets = {
  name: 'assets',
  setup({ onLoad }) {
    onLoad({ filter: /\.html$/ }, async ({ path }) => {
      const html = await readFile(path, 'utf8');
      return { contents: html.replace(/\s*\n\s*/g, ''), loader: 'text' };
    });
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        loader: 'css',
        minify: true,
      });
      return { contents: code.trim(), loader: 'text' };
    });
  },
};

async function bundle(entry, define = {}) {
  const { outputFiles } = await build({
    entryPoints: [source(entry)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    define,
    plugins: [assets],
  });
  // Some 3 % smaller than esbuild's own minifying.
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    compress: { passes: 3, unsafe_arrows: true },
    format: { ascii_only: false },
  });
  return code;
}

const dialog = await bundle('dialog.ts');
const integrity = `sha384-${createHash('sha384').update(dialog).digest('base64')}`;
const widget = await bundle('widget.ts', { DIALOG_INTEGRITY: JSON.stringify(integrity) });

/** The styles and scripts of our own pages, by the name of what is built. */
const pages = ['demo.css', 'pages.css', 'receiver.js'];

async function page(name) {
  if (name.endsWith('.js')) return bundle(`../pages/${name.replace('.js', '.ts')}`);
  const style = await readFile(new URL(`pages/${name}`, import.meta.url), 'utf8');
  return (await transform(style, { loader: 'css', minify: true })).code;
}

await mkdir(folder, { recursive: true });
let stale = false;
for (const [name, text] of [
  ['dialog.js', dialog],
  ['widget.js', widget],
  ...(await Promise.all(pages.map(async (name) => [name, await page(name)]))),
]) {
  const file = new URL(name, folder);
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`static/${name} is not what widget/src builds: run npm run build`);
    stale = true;
  }
}
process.exitCode = stale ? 1 : 0;
