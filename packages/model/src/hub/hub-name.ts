/** The parts of `hub:owner/name[@revision]`; null for a name in another form. */
export function parseHubName(name: string): { repository: string; revision: string | null } | null {
  const [, repository, revision = null] = /^hub:([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(name) ?? [];
  return repository === undefined ? null : { repository, revision };
}
