import t from 'tap';
import { Partners, Witnesses } from '../../src/cometchat/witnesses.ts';
import { group, peer } from './breaker-of.ts';

t.test('each user and each group is one, and so many about the only other user are five', async (t) => {
  const witnesses = new Witnesses(1000, new Partners());
  for (let n = 0; n < 9; n += 1) witnesses.add({ user: 'one', partner: peer(`friend-${n}`) }, 0);
  t.equal(witnesses.count(0), 1);
  for (let n = 0; n < 9; n += 1) witnesses.add({ user: `member-${n}`, partner: group('huge') }, 0);
  t.equal(witnesses.count(0), 2);
  for (let n = 0; n < 9; n += 1) witnesses.add({ user: `user-${n}`, partner: peer('agent') }, 0);
  t.equal(witnesses.count(0), 7);
  t.equal(witnesses.lacks({ user: 'one', partner: peer('new') }, 0), false);
  t.equal(witnesses.lacks({ user: 'new', partner: group('huge') }, 0), false);
  t.equal(witnesses.lacks({ user: 'new', partner: peer('agent') }, 0), false);
  t.equal(witnesses.lacks({ user: 'new', partner: peer('new') }, 0), true);
});

t.test('about a user they are two for five minutes after somebody was answered about another', async (t) => {
  const partners = new Partners();
  partners.answered(peer('agent'), 0);
  partners.answered(peer('agent'), 1);
  t.equal(partners.maxWith(peer('agent'), 2), 5);
  t.equal(partners.maxWith(peer('friend'), 2), 2);
  partners.answered(group('huge'), 3);
  partners.answered(peer('agent'), 4);
  t.equal(partners.maxWith(peer('agent'), 300_002), 2);
  t.equal(partners.maxWith(peer('agent'), 300_003), 5);
  t.equal(partners.maxWith(peer('friend'), 300_003), 2);
  t.equal(partners.maxWith(group('huge'), 300_003), 1);
  const witnesses = new Witnesses(1000, partners);
  for (let n = 0; n < 9; n += 1) witnesses.add({ user: `user-${n}`, partner: peer('friend') }, 5);
  t.equal(witnesses.count(5), 2);
  t.equal(witnesses.lacks({ user: 'new', partner: peer('friend') }, 5), false);
});

t.test('the latest one of each counts, for its time', async (t) => {
  const witnesses = new Witnesses(1000, new Partners());
  witnesses.add({ user: 'one', partner: peer('a') }, 0);
  witnesses.add({ user: 'member', partner: group('huge') }, 0);
  witnesses.add({ user: 'one', partner: peer('b') }, 500);
  t.equal(witnesses.count(999), 2);
  t.equal(witnesses.count(1000), 1);
  witnesses.add({ user: 'member', partner: group('huge') }, 1000);
  witnesses.add({ user: 'another', partner: group('huge') }, 1400);
  t.equal(witnesses.count(1500), 1, 'the group’s');
  t.equal(witnesses.count(2399), 1);
  t.equal(witnesses.count(2400), 0);
});

t.test('a list is about no partner: each user is one by it', async (t) => {
  const witnesses = new Witnesses(1000, new Partners());
  for (let n = 0; n < 9; n += 1) witnesses.add({ user: `user-${n}`, partner: undefined }, 0);
  t.equal(witnesses.count(0), 9);
  witnesses.add({ user: 'user-0', partner: undefined }, 0);
  t.equal(witnesses.count(0), 9);
  t.equal(witnesses.lacks({ user: 'user-0', partner: undefined }, 0), false);
  t.equal(witnesses.lacks({ user: 'new', partner: undefined }, 0), true);
  t.equal(witnesses.lacks({ user: 'new', partner: peer('agent') }, 0), true);
});
