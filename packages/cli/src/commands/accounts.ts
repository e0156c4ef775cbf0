import { asNobody, asUser, type Context, remember } from '../context.ts';
import { askSecrets, type Question } from '../prompt.ts';
import { forgetSession, sessionPath } from '../session-file.ts';

export async function register(context: Context, name: string): Promise<void> {
  const [password = ''] = await askSecrets([
    { ...passwordQuestion(context, `New password for ${name}: `), isNew: true },
  ]);
  await asNobody(context, (client) => client.register(name, password));
  const user = await logInAs(context, name, password);
  context.output.result(`Registered and logged in as ${user}. Your tree is ${user}/`, { user });
}

export async function login(context: Context, name: string): Promise<void> {
  const [password = ''] = await askSecrets([passwordQuestion(context, `Password of ${name}: `)]);
  const user = await logInAs(context, name, password);
  context.output.result(`Logged in as ${user} at ${context.url}`, { user, url: context.url });
}

export async function logout(context: Context): Promise<void> {
  await forgetSession(sessionPath(context.settings));
  context.output.result('Logged out on this machine.', {});
}

export async function whoami(context: Context): Promise<void> {
  await asUser(context, async (client) => {
    context.output.result(`${client.user} at ${context.url}`, { user: client.user, url: context.url });
  });
}

export async function changePassword(context: Context): Promise<void> {
  const [old = '', password = ''] = await askSecrets([
    passwordQuestion(context, 'Old password: '),
    { text: 'New password: ', variable: 'FOSP_NEW_PASSWORD', given: context.settings.newPassword, isNew: true },
  ]);
  const user = await asUser(context, async (client) => {
    await client.changePassword(old, password);
    return client.user ?? '';
  });
  if (context.settings.user === undefined) {
    await logInAs(context, user, password);
  }
  context.output.result(`Password of ${user} changed; you are logged out everywhere else.`, { user });
}

async function logInAs(context: Context, name: string, password: string): Promise<string> {
  return await asNobody(context, async (client) => {
    const user = await client.authenticate({ user: name, password });
    await remember(context, client);
    return user;
  });
}

function passwordQuestion(context: Context, text: string): Question {
  return { text, variable: 'FOSP_PASSWORD', given: context.settings.password };
}
