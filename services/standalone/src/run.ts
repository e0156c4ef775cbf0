/** Standalone as a process: the services, the data folder's token for the admin port, and a word to whoever watches. */
import { isatty } from 'node:tty';
import { runProcess } from '@fosp/runtime';
import { addressesOf } from './addresses.ts';
import { composeServices } from './compose.ts';
import { STANDALONE_VARIABLES } from './config.ts';
import { adminTokenIn, openDataFolder } from './data-folder.ts';
import { welcome } from './welcome.ts';

/** Of the command line, which shares its users' environment. */
const COMMAND_LINE_VARIABLES = ['FOSP_URL', 'FOSP_USER', 'FOSP_PASSWORD', 'FOSP_NEW_PASSWORD', 'FOSP_SESSION_FILE'];

export async function runStandalone(): Promise<void> {
  await runProcess('standalone', {
    variables: STANDALONE_VARIABLES,
    alsoKnown: COMMAND_LINE_VARIABLES,
    create: async ({ settings, ...parts }) => {
      const dataDirectory = await openDataFolder(settings.objects.dataDirectory);
      const services = await composeServices({ ...parts, settings, clock: Date.now });
      return {
        adminRoutes: services.adminRoutes,
        adminToken: () => adminTokenIn(dataDirectory),
        start: async () => {
          const ports = await services.start();
          const addresses = addressesOf({ ports, domains: settings.gateway.domains, dataDirectory });
          if (isatty(1)) {
            process.stdout.write(welcome(addresses));
          } else {
            parts.log.info(addresses, 'serving');
          }
        },
        drain: () => services.drain(),
      };
    },
  });
}
