/** The SDK in a real browser, where one is installed (Debian: `apt-get install chromium`). */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ALICE, PASSWORD } from '@fosp/testkit';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { Home } from '../src/home.ts';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const PROGRAM = fileURLToPath(new URL('../src/browser-program.ts', import.meta.url));
/** It runs as root in containers, and is to load nothing but our page. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const MIB = 1024 * 1024;

async function bundled(): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [PROGRAM], bundle: true, platform: 'browser', write: false });
  return outputFiles[0]?.text ?? '';
}

describe('the client in a browser', () => {
  it('F2 F16 F22 F26 F27 F31 F32 F58 F60 connects, changes, is notified, uploads and downloads', async (context) => {
    if (BROWSER === undefined) {
      context.skip('no Chromium is installed');
      return;
    }
    await using home = await Home.start();
    const browser = await chromium.launch({ executablePath: BROWSER, args: FLAGS });
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: await bundled() });
      const result = await page.evaluate(`run(${JSON.stringify({ url: home.url, password: PASSWORD })})`);
      expect(result).toMatchObject({
        user: ALICE,
        event: { kind: 'notification', event: 'CREATED', resource: `${ALICE}/notes` },
        progress: [0, MIB, 2 * MIB, 3 * MIB],
        received: 3 * MIB,
        sum: 3 * MIB,
        fileName: 'Grüße.png',
        text: expect.stringContaining('"data":12345678901234567890'),
        refusal: 'not-found',
        end: true,
      });
    } finally {
      await browser.close();
    }
  });
});
