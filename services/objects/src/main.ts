import { runOnBus } from '@fosp/bus/process';
import { OBJECTS_VARIABLES, POSTGRES_VARIABLE } from './config.ts';
import { openObjects } from './open.ts';

await runOnBus('objects', {
  variables: { ...OBJECTS_VARIABLES, postgres: POSTGRES_VARIABLE },
  create: openObjects,
});
