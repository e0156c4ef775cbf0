/** The other end of the floor for a call: answers every question with its own body. */
import { connect } from '@nats-io/transport-node';

const [url = ''] = process.argv.slice(2);
const connection = await connect({ servers: url });
connection.subscribe('floor', {
  callback: (_, message) => {
    message.respond(message.data);
  },
});
await connection.flush();
process.stdout.write('ready\n');
process.on('SIGTERM', () => process.exit(0));
