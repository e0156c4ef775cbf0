import { Bus, InProcessTransport } from '@fosp/bus';
import { runProcess } from '@fosp/runtime';
import { OBJECTS_VARIABLES, objectsConfig } from './config.ts';
import { embeddedParts } from './embedded.ts';
import { createObjectsService } from './objects.ts';

/** The service alone. Until there is a bus between processes nobody can call it: this shows that it starts and ends. */
await runProcess('objects', {
  variables: OBJECTS_VARIABLES,
  create: ({ settings, log, metrics, health }) => {
    const bus = new Bus(new InProcessTransport());
    return createObjectsService({
      bus,
      log,
      metrics,
      health,
      ...embeddedParts(objectsConfig(settings), { log, clock: Date.now }),
    });
  },
});
