/** Asks this container's process whether it may be given work; exits 1 with the reasons where not. */
import { get } from 'node:http';

// biome-ignore lint/style/noProcessEnv: what reads the environment for a process takes longer to load than this may take.
const port = process.env['FOSP_ADMIN_PORT'] || '9090';
const request = get({ host: '127.0.0.1', port, path: '/readyz', timeout: 2_000 }, (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.pipe(process.stdout);
});
request.on('timeout', () => request.destroy(new Error('no answer within two seconds')));
request.on('error', (error) => {
  process.stdout.write(`the internal port ${port}: ${error.message}\n`);
  process.exitCode = 1;
});
