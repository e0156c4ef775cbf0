/** `pnpm kubernetes schemas`, `pnpm kubernetes api-server`. */
import { collectSchemas } from './collect-schemas.ts';
import { tryApiServer } from './try-api-server.ts';

switch (process.argv[2]) {
  case 'schemas':
    collectSchemas();
    break;
  case 'api-server':
    process.exitCode = await tryApiServer();
    break;
  default:
    process.stderr.write('pnpm kubernetes schemas | api-server\n');
    process.exitCode = 2;
}
