// `format`s of strings as patterns. Each matches only texts that have the format; of some formats,
// not all of them.
const year = '[0-9]{4}';
const leapYear =
  '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)';
const date =
  `(?:${year}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|` +
  `(?:0[13578]|1[02])-31)|${leapYear}-02-29)`;
const time =
  '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])';
const byte = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const host = `${label}(?:\\.${label}){0,3}`;
const group = '[0-9a-f]{1,4}';
const path = "(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2}){0,64}){0,8}";

export const formats: Readonly<Record<string, string>> = {
  date,
  time,
  'date-time': `${date}T${time}`,
  duration: 'P(?:[1-9][0-9]{0,3}W|[1-9][0-9]{0,3}D(?:T[1-9][0-9]{0,3}H)?|T[1-9][0-9]{0,3}[HMS])',
  email: `[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,16}){0,2}@${label}(?:\\.${label}){1,3}`,
  hostname: host,
  ipv4: `${byte}(?:\\.${byte}){3}`,
  ipv6: `${group}(?::${group}){7}`,
  uri: `[a-z][a-z0-9+.-]{0,15}://${host}(?::[1-9][0-9]{0,3})?${path}`,
  uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
};
