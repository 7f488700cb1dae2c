/** What `hub:owner/name[@revision]` names; null for a name of another form. */
export function parseHubName(name: string): { repository: string; revision: string | null } | null {
  const [, repository, revision = null] = /^hub:([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(name) ?? [];
  return repository === undefined ? null : { repository, revision };
}
