import { Bus, InProcessTransport } from '@fosp/bus';
import { runProcess } from '@fosp/runtime';
import { OBJECTS_VARIABLES, objectsConfig } from './config.ts';
import { createEmbeddedObjectsService } from './embedded.ts';

/** The service alone, for a look at its start and its metrics: who is to call it needs the bus of a cluster. */
await runProcess('objects', {
  variables: OBJECTS_VARIABLES,
  create: ({ settings, log, metrics }) =>
    createEmbeddedObjectsService({
      bus: new Bus(new InProcessTransport()),
      config: objectsConfig(settings),
      log,
      metrics,
    }),
});
