// Not the whole of runtime: a command line need not load a logger and a web server to begin.
import { processEnvironment, readEnvironment } from '@fosp/runtime/env';
import { secretText, text, url } from '@fosp/runtime/variables';

/** What `fosp` takes from its environment. Options on the command line come first. */
export const SETTINGS = {
  url: url('FOSP_URL', undefined, 'the server', { protocols: ['ws', 'wss'] }),
  user: text('FOSP_USER', undefined, 'who to work as, with FOSP_PASSWORD, instead of who logged in'),
  password: secretText('FOSP_PASSWORD', undefined, 'instead of typing the password'),
  newPassword: secretText('FOSP_NEW_PASSWORD', undefined, 'instead of typing a new password'),
  adminToken: secretText('FOSP_ADMIN_TOKEN', undefined, 'for `fosp admin`: what the admin port asks for'),
  sessionFile: text('FOSP_SESSION_FILE', undefined, 'where the login is kept'),
  configHome: text('XDG_CONFIG_HOME', undefined, 'folder of configuration, instead of `~/.config`'),
  visual: text('VISUAL', undefined, 'editor for `fosp edit`'),
  editor: text('EDITOR', 'vi', 'editor for `fosp edit`, where VISUAL is not set'),
} as const;

export interface Settings {
  readonly url: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly newPassword: string | undefined;
  readonly adminToken: string | undefined;
  readonly sessionFile: string | undefined;
  readonly configHome: string | undefined;
  readonly editor: string;
}

export function readSettings(): Settings {
  const { visual, editor, ...settings } = readEnvironment(processEnvironment(), SETTINGS);
  return {
    ...settings,
    password: settings.password?.reveal(),
    newPassword: settings.newPassword?.reveal(),
    adminToken: settings.adminToken?.reveal(),
    editor: visual ?? editor,
  };
}
