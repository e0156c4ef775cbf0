export { FospCluster, type FospClusterOptions, type Login } from './fosp-cluster.ts';
export { FospContainer, StartedFospContainer } from './fosp-container.ts';
export { DEFAULT_IMAGES, type Images } from './images.ts';
export { Pod } from './pod.ts';
export type { ServerName } from './servers.ts';
export type { ServiceName } from './services.ts';
export { DEFAULT_PASSWORD } from './users.ts';
