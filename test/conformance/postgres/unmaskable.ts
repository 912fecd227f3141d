import * as m from '../../sidecars/postgres/messages.ts'
import type { Phrase } from '../fixture.ts'
import { blind, extended, phrase, simple } from './phrases.ts'

/** Ways of reading protected values, or what was made of them, that no mask can rewrite. */
export function unmaskable(mark: string): readonly Phrase[] {
  const selects = [
    `select email, '${mark}' from customers union all select name, 'x' from customers`,
    `select 'x', '${mark}' union all select phone, 'x' from customers`,
    `select upper(phone), '${mark}' from customers`,
    `select phone || '', '${mark}' from customers`,
    `select customers, '${mark}' from customers`,
    `select row_to_json(customers), '${mark}' from customers`,
    `select array_agg(phone), '${mark}' from customers`,
    `select (select phone from customers where id = 1), '${mark}'`,
    `select (array[phone])[1], '${mark}' from customers`,
    `select jsonb_build_object('p', phone), '${mark}' from customers`,
    `select phone::bytea, '${mark}' from customers`,
    `select max(phone), '${mark}' from customers`,
    `select customer_label(customers), '${mark}' from customers`,
    `select get_email(1), '${mark}'`,
    `select get_email_pl(1), '${mark}'`,
    `select (first_row()).phone, '${mark}'`,
    `select phone, '${mark}' from find_customers('%')`,
    `select line, '${mark}' from export_all()`,
    `select label, '${mark}' from v_contact`,
    `select doc, '${mark}' from v_json`,
    `select txt, '${mark}' from v_union`,
    `select rec, '${mark}' from v_whole`,
    `select email, '${mark}' from mv_emails`,
    `select salary, '${mark}' from employees`,
    `select sum(salary), '${mark}' from employees`,
    `with c as (select phone as p from customers) select p, '${mark}' from c`,
    `with c as materialized (select phone || 'x' as p from customers) select p, '${mark}' from c`,
    `select query_to_xml('select phone from customers', true, true, '${mark}')`,
    `select phone, '${mark}' from customers_archive`,
    `select * from run_sql('select phone from customers /* ${mark} */')`,
    `select x, '${mark}' from customers, lateral (select phone) as l(x)`,
    `select t.a, '${mark}' from (values (1)) v, (select phone from customers) as t(a)`,
    `select coalesce(phone, '${mark}') from customers`,
    `select case when id > 0 then phone end, '${mark}' from customers`,
    `select concat_all(phone), '${mark}' from customers`,
    `select string_agg(value, ','), '${mark}' from secrets`,
    `select first_value(phone) over (order by id), '${mark}' from customers`,
    `select phone::int, '${mark}' from customers`,
    `select leak(phone), '${mark}' from customers`,
  ]
  const copies = [
    `copy (select phone, '${mark}' from customers) to stdout`,
    `copy (select phone || '', '${mark}' from customers) to stdout`,
    `copy customers (phone) to stdout (null '${mark}')`,
  ]
  const cursor = `declare ${mark} cursor for select phone, '${mark}' from customers`
  return [
    ...selects.map((sql) => simple(sql)),
    ...selects.map((sql) => blind(sql)),
    ...[selects[0] ?? '', selects[2] ?? '', selects[23] ?? ''].map((sql) => extended(sql, true)),
    ...copies.map((sql) => simple(sql)),
    phrase('a cursor that is fetched from', [
      m.query('begin'),
      m.query(cursor),
      m.query(`fetch all from ${mark}`),
      m.query('rollback'),
    ]),
    phrase('a cursor that is executed as a portal', [
      m.query('begin'),
      m.query(cursor),
      m.execute(mark),
      m.sync,
      m.query('rollback'),
    ]),
    phrase('what an update returns', [
      m.query('begin'),
      m.query(`update customers set name = name returning phone || '', '${mark}'`),
      m.query('rollback'),
    ]),
    phrase('a portal in parts', [
      m.parse('', `select phone, '${mark}' from customers`),
      m.bind('', ''),
      m.execute('', 1),
      m.execute('', 1),
      m.execute('', 1),
      m.sync,
    ]),
    phrase('a prepared statement', [
      m.query(`prepare ${mark} as select phone, '${mark}' from customers`),
      m.query(`execute ${mark}`),
      m.query(`deallocate ${mark}`),
    ]),
    phrase('a description of before the policy', [
      m.parse('d', `select phone, '${mark}' from customers`),
      m.describe('S', 'd'),
      m.bind('', 'd'),
      m.bind('other', 'd'),
      m.execute('other'),
      m.execute(),
      m.sync,
    ]),
  ]
}
