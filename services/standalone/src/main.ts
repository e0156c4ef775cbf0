import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// What was compiled is kept with the dependencies: the next start takes half the time. Where that folder cannot be written,
// nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
const { runStandalone } = await import('./run.ts');
await runStandalone();
flushCompileCache();
