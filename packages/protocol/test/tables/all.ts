import { bodies } from './bodies.ts';
import type { Table } from './cases.ts';
import { patches } from './patches.ts';
import { groups, notifications, notified, requests, views } from './policies.ts';
import { rights } from './rights.ts';
import { updates } from './updates.ts';

export const TABLES: readonly Table[] = [
  rights,
  patches,
  bodies,
  updates,
  views,
  notified,
  groups,
  requests,
  notifications,
];
