// Drives Firefox by WebDriver BiDi for tests/browser/engines.py: one JSON command a line in, one answer out.
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [executablePath, options = '{}'] = process.argv.slice(2);
const { width = 1280, height = 720, prefs = {} } = JSON.parse(options);
const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath,
  headless: true,
  defaultViewport: { width, height },
  extraPrefsFirefox: prefs,
});
const page = await browser.newPage();
const { keyboard, mouse, touchscreen } = page;

const commands = {
  open: (url) => page.goto(url).then(() => null),
  evaluate: (expression) => page.evaluate(expression),
  async press(keys) {
    const held = keys.split('+');
    const last = held.pop();
    for (const key of held) await keyboard.down(key);
    await keyboard.press(last);
    for (const key of held.reverse()) await keyboard.up(key);
    return null;
  },
  type: (text) => keyboard.type(text).then(() => null),
  click: (x, y) => mouse.click(x, y).then(() => null),
  tap: (x, y) => touchscreen.tap(x, y).then(() => null),
  offline: (value) => page.setOfflineMode(value).then(() => null),
  resize: (width, height) => page.setViewport({ width, height }).then(() => null),
  screenshot: (path) => page.screenshot({ path }).then(() => null),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...values] = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await commands[name](...values)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
