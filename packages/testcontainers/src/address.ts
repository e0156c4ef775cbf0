import type { StartedTestContainer } from 'testcontainers';

/**
 * Where a port of a container is reached from here. Never by the name `localhost`: an engine may publish a port at one number
 * for IPv4 and at another for IPv6, and tells that of IPv4.
 */
export function addressOf(container: StartedTestContainer, port: number): string {
  const host = container.getHost();
  return `${host === 'localhost' ? '127.0.0.1' : host}:${container.getMappedPort(port)}`;
}
