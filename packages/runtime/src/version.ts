import { readFileSync } from 'node:fs';

/** Of this release: all packages have the same, and the image has one `package.json` beside its code. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
