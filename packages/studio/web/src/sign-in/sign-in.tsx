import { Button, Code, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { answerOf, api } from '../api.ts';
import { sessionChanged } from '../session.ts';
import { Failure } from '../shell/failure.tsx';
import { Card } from './card.tsx';

/** @param signedIn called after the person is signed in */
export function SignIn({
  title = 'Sign in',
  signedIn = sessionChanged,
}: {
  title?: string;
  signedIn?: () => Promise<void>;
}) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useMutation({
    mutationFn: () => answerOf(api.session.$post({ json: { name, password } })),
    onSuccess: signedIn,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate();
  };
  return (
    <Card title={title}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Password"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {signIn.isError && <Failure error={signIn.error} />}
          <Button type="submit" loading={signIn.isPending}>
            Sign in
          </Button>
        </Stack>
      </form>
      <Text size="sm" c="dimmed">
        If you started the Studio, open the link that <Code>keel studio</Code> printed. Other people
        need an invitation.
      </Text>
    </Card>
  );
}
