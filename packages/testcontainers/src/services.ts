/** The processes of a cluster, each a container of our image, told where the servers are that it needs. */
import { GenericContainer, Wait } from 'testcontainers';
import { ADDRESSES } from './servers.ts';
import { NO_LIMITS_BY_ADDRESS, READY, STARTUP_TIMEOUT, WS_PORT } from './settings.ts';

export const SERVICES = ['gateway', 'objects', 'attachments', 'notifications', 'federation'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface ServicePlace {
  /** Of the image. */
  readonly image: string;
  readonly domain: string;
  /** By which others in the network reach it. */
  readonly name: string;
}

/** Without the network that it is to be in. */
export function serviceContainer(service: ServiceName, place: ServicePlace): GenericContainer {
  const container = new GenericContainer(place.image)
    .withCommand([service])
    .withNetworkAliases(place.name)
    .withEnvironment(environmentOf(service, place))
    .withWaitStrategy(Wait.forLogMessage(READY))
    .withStartupTimeout(STARTUP_TIMEOUT);
  return service === 'gateway' ? container.withExposedPorts(WS_PORT) : container;
}

/** Brings the database to the form that the services need, and ends. */
export function migrationContainer(image: string): GenericContainer {
  return new GenericContainer(image)
    .withCommand(['migrate'])
    .withEnvironment(ADDRESSES.postgres)
    .withWaitStrategy(Wait.forOneShotStartup())
    .withStartupTimeout(STARTUP_TIMEOUT);
}

function environmentOf(service: ServiceName, { domain, name }: ServicePlace): Record<string, string> {
  const { nats, postgres, redis, s3 } = ADDRESSES;
  switch (service) {
    case 'gateway':
    case 'notifications':
      return { ...nats, FOSP_DOMAIN: domain };
    case 'objects':
      return { ...nats, ...postgres, ...redis, ...NO_LIMITS_BY_ADDRESS, FOSP_DOMAIN: domain };
    case 'attachments':
      return { ...nats, ...s3, FOSP_ATTACHMENTS_HOST: '0.0.0.0', FOSP_ATTACHMENTS_ADVERTISED_HOST: name };
    case 'federation':
      return { ...nats };
  }
}
