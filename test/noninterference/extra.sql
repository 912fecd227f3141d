-- What the attacks' schema lacks: inheritance across schemas, names that resemble, a join worth making on text.
-- Run on variant A, before a copy of it becomes variant B.
CREATE TABLE crm.leads (source text) INHERITS (public.customers);
INSERT INTO crm.leads(id,name,email,ssn,card_number,phone,tier,country,source) VALUES
 (200,'Lea Lead','lea@leads.example','555-44-3333','4000000000000002','+15550001111','free','US','web'),
 (201,'Lou Lead','lou@leads.example','555-44-2222','4000000000000010','+15550002222','pro','GB','fair');
CREATE TABLE crm.letters (id int PRIMARY KEY, email text, ssn text, label text);
INSERT INTO crm.letters VALUES (1,'alice@example.com','123-45-6789','first'),(2,'bob@example.org','987-65-4321','second'),(3,'nobody@example.org','000-00-0000','third');
CREATE TABLE public.wages (id int PRIMARY KEY, salary int, name text);
INSERT INTO public.wages VALUES (1,200000,'Eve'),(2,120000,'Frank'),(3,5,'Ivy');
CREATE VIEW crm.lead_view AS SELECT id, name, email AS address, source FROM crm.leads;
CREATE VIEW public.v_top AS SELECT id, name FROM public.customers ORDER BY ssn LIMIT 2;
CREATE VIEW public.v_pay AS SELECT e.name, e.salary * 12 AS yearly, m.name AS boss FROM public.employees e LEFT JOIN public.employees m ON m.id = e.manager_id;
CREATE TABLE public.cases (id int PRIMARY KEY, owner text, note text, amount int);
INSERT INTO public.cases VALUES (1,'me','first note',10),(2,'other','+kept from me',0),(3,'me','second',-3),(4,'third','nobody knows',77),(5,NULL,'nobody has it',5);
CREATE VIEW public.v_cases AS SELECT id, owner, note, amount * 2 AS twice FROM public.cases;
CREATE TABLE public.inbox (id int PRIMARY KEY, name text, body text);
INSERT INTO public.inbox VALUES (10,'ten','b');
CREATE FUNCTION public.trg_fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := (SELECT email FROM public.customers WHERE id = NEW.id); RETURN NEW; END $$;
CREATE TRIGGER inbox_fill BEFORE INSERT ON public.inbox FOR EACH ROW EXECUTE FUNCTION public.trg_fill();
-- A planner that knows hidden values may order rows by them.
ALTER TABLE public.cases ALTER note SET STATISTICS 0, ALTER amount SET STATISTICS 0;
-- What bare names mean under another search path: what is harmless in public shows protected values here, and the other way round.
CREATE SCHEMA desk;
CREATE VIEW desk.notes AS SELECT id::int AS id, email AS body FROM public.customers;
CREATE VIEW desk.kv AS SELECT name AS k, value AS v FROM public.secrets;
CREATE VIEW desk.wages AS SELECT id, salary, name FROM public.employees;
CREATE TABLE desk.customers (id bigint PRIMARY KEY, name text, email text);
INSERT INTO desk.customers VALUES (1,'One','one@desk.example'),(2,'Two','alice@example.com');
CREATE FUNCTION desk.pure_add(int,int) RETURNS int LANGUAGE sql STABLE AS 'SELECT salary + $2 FROM public.employees WHERE id = $1';
