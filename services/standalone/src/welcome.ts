import type { Addresses } from './addresses.ts';

/** The address that the command line assumes. */
const USUAL_PORT = 1337;

/** What somebody who starts a server on a terminal reads first. */
export function welcome({ wsPort, domains, dataDirectory }: Addresses): string {
  const [domain = ''] = domains;
  const address = `ws://localhost:${wsPort}`;
  const fosp = 'npx -y pnpm@12 -s fosp';
  const url = wsPort === USUAL_PORT ? '' : `--url ${address} `;
  return `
  FOSP is running.

    address  ${address}
    domain   ${domains.join(', ')}
    data     ${dataDirectory}

  In another terminal:

    ${fosp} ${url}register alice
    ${fosp} create alice@${domain}/notes '{"data":"My first object"}'
    ${fosp} get alice@${domain}/notes
    ${fosp} --help

  Ctrl-C stops it; what it keeps is there at the next start.

`;
}
