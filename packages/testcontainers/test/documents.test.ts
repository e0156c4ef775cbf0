/** What is written about the images and examples is what is there. */
import { readFileSync } from 'node:fs';
import { DEFAULT_IMAGES } from '@fosp/testcontainers';
import { describe, expect, it } from 'vitest';

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

const withoutIndent = (text: string) => text.replaceAll(/^ +/gm, '');

describe('documents', () => {
  it('shows examples that are run', () => {
    const run = withoutIndent(textOf('example.test.ts'));
    const shown = [...textOf('../README.md').matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => withoutIndent(code));
    expect(shown.length).toBe(2);
    for (const example of shown) {
      expect(run).toContain(example);
    }
  });

  it.each(Object.entries(DEFAULT_IMAGES))('names one image of %s everywhere', (which, image) => {
    const variable = which === 'fosp' ? 'FOSP_IMAGE' : `FOSP_${which.toUpperCase()}_IMAGE`;
    expect(textOf('../../../docker-compose.yml')).toContain(`\${${variable}:-${image}}`);
    expect(textOf('../README.md')).toContain(`| \`${variable}\` | \`${image}\` |`);
  });

  it('has a stand-in for every image that is pulled', () => {
    const named = [...textOf('../../../docker-compose.yml').matchAll(/\$\{FOSP_\w*IMAGE:-([^}]+)\}/g)].map(
      ([, image = '']) => image,
    );
    const bases = [...textOf('../../../deploy/Dockerfile').matchAll(/^ARG \w*IMAGE=(.+)$/gm)].map(
      ([, image = '']) => image,
    );
    const ours = new Set([DEFAULT_IMAGES.fosp]);
    const pulled = new Set([...named, ...bases].filter((image) => !ours.has(image)));
    expect(pulled.size).toBe(7);
    const standIns = textOf('../../../.ci/images/build');
    expect([...pulled].filter((image) => !standIns.includes(`[${image}]=`))).toEqual([]);
  });
});
