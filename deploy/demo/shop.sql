-- A small shop with things in it that nobody should see by accident.
create table customers (
  id int primary key,
  name text not null,
  email text not null,
  card_number text,
  ssn text,
  phone text,
  city text
);
create table orders (
  id int primary key,
  customer_id int not null references customers (id),
  item text not null,
  amount numeric(10, 2) not null,
  ordered_at date not null
);
create table payments (
  id int primary key,
  order_id int not null references orders (id),
  card_number text not null,
  amount numeric(10, 2) not null
);
create table employees (
  id int primary key,
  name text not null,
  salary int not null,
  ssn text not null
);
create table secrets (
  name text primary key,
  value text not null
);

insert into customers
select i,
  (array['Ada Lovelace', 'Alan Turing', 'Grace Hopper', 'Edsger Dijkstra', 'Barbara Liskov'])[1 + i % 5],
  'customer' || i || '@example.com',
  '4111 1111 1111 ' || lpad((1000 + i)::text, 4, '0'),
  lpad((100 + i)::text, 3, '0') || '-45-6789',
  '+49 30 ' || (5550000 + i),
  (array['Berlin', 'London', 'New York', 'Rotterdam', 'Los Angeles'])[1 + i % 5]
from generate_series(1, 200) i;
insert into orders
select i, 1 + i % 200, (array['keyboard', 'monitor', 'desk', 'lamp'])[1 + i % 4], 10 + i % 90, date '2026-01-01' + i % 300
from generate_series(1, 1000) i;
insert into payments
select i, i, '4111 1111 1111 ' || lpad((1000 + 1 + i % 200)::text, 4, '0'), 10 + i % 90 from generate_series(1, 900) i;
insert into employees values (1, 'Mallory', 91000, '900-12-3456'), (2, 'Trent', 87000, '900-65-4321');
insert into secrets values ('payment_api_key', 'sk_demo_do_not_use');

create view customer_directory as select id, name, email, city from customers;
create function order_total(customer int) returns numeric
  language sql stable
  return (select coalesce(sum(amount), 0) from orders where customer_id = customer);
