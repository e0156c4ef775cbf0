export { ALICE, BOB, PASSWORD, QUEEN, REALWORLD, SISTER, WONDERLAND } from './cast.ts';
export { Inbox, PATIENCE, within } from './inbox.ts';
export { type PostgresOptions, PostgresServer, postgresInstalled, startPostgres } from './postgres-server.ts';
export { type LogLine, type ServerExit, type ServerOptions, ServerProcess } from './server-process.ts';
export { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts';
export { type TestNotification, type TestRequestOptions, type TestResponse, TestSession } from './test-session.ts';
export { type Faults, unreliableTransport } from './unreliable-transport.ts';
export { WireClient, type WireClosed, type WireFrame, type WireOptions } from './wire-client.ts';
