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
      return {
        contents: html
          .replace(/\s*\n\s*/g, '')
          .replace(/="([\w-]+)"/g, '=$1')
          .replace(/<\/(option|p)>(?=<(p|div|\/))/g, ''),
        loader: 'text',
      };
    });
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, 'utf8'), {
        loader: 'css',
        minify: true,
      });
      return { contents: code.trim().replaceAll(', ', ','), loader: 'text' };
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
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'none',
    define,
    // Sloppy mode changes nothing here and saves its directive.
    tsconfigRaw: { compilerOptions: { target: 'es2022', alwaysStrict: false } },
    plugins: [assets],
  });
  // Some 3 % smaller than esbuild's own minifying.
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2022,
    compress: {
      passes: 5,
      unsafe: true,
      unsafe_arrows: true,
      unsafe_methods: true,
      pure_getters: true,
      keep_fargs: false,
    },
    format: { ascii_only: false },
  });
  return code;
}

const dialog = await bundle('dialog.ts');
const places = await bundle('places.ts');
const quotes = await bundle('quotes.ts');
const hashOf = (code) => JSON.stringify(createHash('sha256').update(code).digest('base64'));
const support = await bundle('support.ts', { QUOTES_INTEGRITY: hashOf(quotes) });
const widget = await bundle('widget.ts', {
  DIALOG_INTEGRITY: hashOf(dialog),
  PLACES_INTEGRITY: hashOf(places),
  SUPPORT_INTEGRITY: hashOf(support),
});

/** The styles and scripts of our own pages, by the name of what is built. */
const pages = [
  'ask.css',
  'campaign.js',
  'demo.css',
  'early.js',
  'one.css',
  'one.js',
  'pages.css',
  'queue.css',
  'queue.js',
  'receipt.css',
  'receiver.js',
  'record.css',
  'settings.css',
  'stats.css',
];

async function page(name) {
  if (name.endsWith('.js')) return bundle(`../pages/${name.replace('.js', '.ts')}`);
  const { outputFiles } = await build({
    entryPoints: [source(`../pages/${name}`)],
    bundle: true,
    minify: true,
    write: false,
  });
  return outputFiles[0].text;
}

await mkdir(folder, { recursive: true });
let stale = false;
for (const [name, text] of [
  ['dialog.js', dialog],
  ['places.js', places],
  ['quotes.js', quotes],
  ['support.js', support],
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
