import { Button, Loader, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { answerOf, api } from '../api.ts';
import { sessionChanged } from '../session.ts';
import { Failure } from '../shell/failure.tsx';
import { Card } from './card.tsx';

export function Join({ code }: { code: string }) {
  const param = { code };
  const [, navigate] = useLocation();
  const [chosen, setChosen] = useState('');
  const [password, setPassword] = useState('');
  const invitation = useQuery({
    queryKey: ['invitation', code],
    queryFn: () => answerOf(api.session.invitations[':code'].$get({ param })),
  });
  const name = invitation.data?.name ?? chosen;
  const join = useMutation({
    mutationFn: () =>
      answerOf(api.session.invitations[':code'].$post({ param, json: { name, password } })),
    onSuccess: async () => {
      await sessionChanged();
      navigate('/projects', { replace: true });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    join.mutate();
  };
  return (
    <Card title="Join">
      {invitation.isPending && <Loader aria-label="Loading" />}
      {invitation.isError && <Failure error={invitation.error} />}
      {invitation.isSuccess && (
        <form onSubmit={submit}>
          <Stack>
            <Text size="sm">
              {invitation.data.role === 'admin'
                ? 'You are invited as an admin: you see all projects and people.'
                : 'You are invited to compare and judge answers of language models.'}
            </Text>
            <TextInput
              label="Name"
              description="Admins see it next to your verdicts"
              autoComplete="username"
              required
              maxLength={80}
              disabled={invitation.data.name !== null}
              value={name}
              onChange={(event) => setChosen(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password"
              description="At least 10 characters"
              autoComplete="new-password"
              required
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            {join.isError && <Failure error={join.error} />}
            <Button type="submit" loading={join.isPending}>
              Join
            </Button>
          </Stack>
        </form>
      )}
    </Card>
  );
}
