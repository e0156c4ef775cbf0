import { runOnBus } from '@fosp/bus/process';
import { OBJECTS_VARIABLES } from './config.ts';
import { openObjects } from './open.ts';

await runOnBus('objects', { variables: OBJECTS_VARIABLES, create: openObjects });
