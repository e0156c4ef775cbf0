import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const ENTRY = fileURLToPath(new URL('../src/index.ts', import.meta.url));

describe('the client in a browser', () => {
  it('F60 F70 needs nothing of Node, and is small', async () => {
    const { metafile, outputFiles } = await build({
      entryPoints: [ENTRY],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      minify: true,
      write: false,
      metafile: true,
      logLevel: 'silent',
    });
    const inputs = Object.keys(metafile.inputs).map((path) => path.replace(/^.*packages\//, ''));
    expect(inputs).toContain('client/src/dial-browser.ts');
    expect(inputs).not.toContain('client/src/dial-node.ts');
    expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external))).toEqual(
      [],
    );
    const text = outputFiles[0]?.text ?? '';
    expect(text).not.toMatch(/["']node:|\bprocess\.|\bBuffer\b|\brequire\(/);
    // Five sixths of it are the tables of IDNA.
    expect(text.length).toBeLessThan(400_000);
  });
});
