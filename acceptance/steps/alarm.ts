import { step, type Step } from '../step.ts';

interface Received {
  readonly Messages?: readonly { readonly Body: string }[];
}

/** What SNS puts into a queue. The message of an alarm is an object of its own. */
interface Notification {
  readonly Message: string;
}

export const ALARM: Step = step(
  'alarm',
  'an alarm arrives at a subscriber of the topic',
  async (account) => {
    const of = await account.surroundings();
    await account.aws('sns subscribe', {
      'topic-arn': await account.physicalId('AWS::SNS::Topic'),
      protocol: 'sqs',
      'notification-endpoint': of('QueueArn'),
    });
    const name = await account.physicalId('AWS::CloudWatch::Alarm', 'ArchiverAlarmsPartitionsBlocked');
    const change = { 'alarm-name': name, 'state-reason': 'acceptance' };
    // An alarm acts when its state changes.
    await account.aws('cloudwatch set-alarm-state', { ...change, 'state-value': 'OK' });
    await account.aws('cloudwatch set-alarm-state', { ...change, 'state-value': 'ALARM' });
    return account.until(`a message that ${name} is in ALARM`, 5, async () => {
      const { Messages = [] } = await account.aws<Received>('sqs receive-message', {
        'queue-url': of('QueueUrl'),
        'wait-time-seconds': '20',
        'max-number-of-messages': '10',
      });
      return Messages.map(({ Body }) => (JSON.parse(Body) as Notification).Message).find(
        (message) => message.includes(`"${name}"`) && message.includes('"NewStateValue":"ALARM"'),
      );
    });
  },
  (message) => `arrived: ${message.slice(0, 80)}…`,
);
