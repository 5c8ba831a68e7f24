import faulthandler,hashlib as K,io,lzma,numpy as L,os as r,signal,subprocess,sys as c,time as d,torch as e,torch.distributed as i,torch.nn.functional as l,traceback
from functools import partial as u
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as M
from typing import NamedTuple as a
def er(o,t):
 if not o.h:return t,
 e=range(o.shape[0]//len(o.h));return tuple(i.format(r)for i in o.h for r in e)
def y(a):
 d=[]
 for o in a:
  if o.h:
   e=range(o.shape[0]//len(o.h))
   for(i,s)in zip(o.h,o.init,strict=True):d+=[(i.format(r),s,o)for r in e]
  else:d+=[(t,o.init,o)for t in o.n()]
 return d
def eh(h,a,s,n):
 for o in a:
  l=n if o.dtype=='activation'else e.float32
  for t in o.n():
   *d,c=t.split('.');i=h
   for r in d:
    if r not in i._modules:i.add_module(r,M.ModuleList())
    i=i._modules[r]
   i.register_parameter(c,M.Parameter(e.empty(o.shape,dtype=l,device=s)))
def el(r,t):l=K.sha256(f"{r}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(l[:7],'little'))
def ed(h,a,r,i):
 n=b(h.state_dict(),a)
 for(t,s,p)in y(a):o=e.empty(n[t].shape);s(o,el(r,t),i);n[t].copy_(o)
def b(n,a):
 r=[]
 for o in a:
  for t in o.n():r+=n[t].unbind()if o.h else[n[t]]
 return{t:s for((t,p,p),s)in zip(y(a),r,strict=True)}
def v(tensor,generator,ledger):tensor.zero_()
def k(tensor,generator,ledger):tensor.fill_(1.)
def x(tensor,generator,ledger,value):tensor.fill_(value)
def ec(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def eu():
 a=r.environ.get;o,t,d=int(a('RANK',0)),int(a('WORLD_SIZE',1)),int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return o,t,d
def em():
 global h,oG,m,n;o,t,d=eu();a,s='gloo',e.device('cpu')
 if e.cuda.is_available():a,s='nccl',e.device('cuda',d);e.cuda.set_device(s)
 if t>1:i.init_process_group(a)
 m=o;n=t;oG=d;h=s;return
def ef():
 if n>1:i.destroy_process_group()
def ep(s):
 if n>1:i.all_reduce(s)
 return s
def eg(value):
 a=[value]*n
 if n>1:i.all_gather_object(a,value)
 return a
def ew(value):
 if n==1:return value
 a=e.tensor(value,dtype=float,device=h);i.all_reduce(a,i.ReduceOp.MAX);return a.item()
def ey(s):
 if s.grad is None:s.grad=e.zeros_like(s)
 return s.grad
def eb(r):
 a=[ey(s)for s in r]
 if n>1:
  t=e.cat([d.flatten()for d in a]);i.all_reduce(t);o=(t/n).split([d.numel()for d in a])
  for(d,m)in zip(a,o,strict=True):d.copy_(m.view_as(d))
def ev(t,o):
 if n>1:return i.reduce_scatter(t,list(o.chunk(n)),async_op=True)
 t.copy_(o);return
def ek(o,t):
 if n>1:return i.all_gather(list(o.chunk(n)),t,async_op=True)
 o.copy_(t);return
def ex(o):
 if o is not None:o.wait()
def ej():
 t=''
 try:os()
 except(OSError,ValueError)as l:t=f"{et}: {l}"
 for(o,a)in enumerate(eg(t)):
  if a:raise ValueError(f"{a} (on rank {o})"if o else a)
def eq(a):
 if a is not None:o(f"prepared {et}: {a}")
class Param(a):
 name:a;shape:a;group:a;j:a;init:a=None;x:a='';dtype:a='float32';layers:a=0;h:a=();reduction:a='replicated';z:a='';u:a=True;F:a=True;export:a='yes'
 def n(e):return[e.name.format(r)for r in range(e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class j:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def i(e,r,a):e.done[r,'']=a
 def q(e,r):return', '.join(f"{o} {a}".strip()for((t,a),o)in e.done.items()if t==r and o)
def ez(s,r,a):return(s/q(r)).round().clamp(-a,a).to(e.int8)
def q(r):return r[:,None]if r.ndim else r
def eA(o,r,a):return(o.float()*q(r).float()).to(a)
def eB(s):
 if s.ndim==2:r=(s.abs().amax(1)/31).clamp_min(1/31)
 else:r=s.abs().amax()/31;r=r if r>0 else r+1
 r=r.half();return ez(s,r.float(),31),r
def eC(o,a):
 if'kept'in o:return o['kept'].to(a)
 return eA(o['codes'],o['step'],a)
def z(t,o):
 a=r.environ.get(t,o)
 try:return int(a)
 except ValueError:raise ValueError(f"{t} is {a!r}, wanted a whole number like {o!r}")from None
def eD():
 a=r.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(a)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {a!r}, wanted seconds like 600.0")from None
def eE():global Q,R,S,T,om,U,V,of,op,og;a=r.environ.get;Q=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');R='export'in c.argv;S=z('ITERATIONS',20000);T=eD();om=a('RUN_ID',str(d.time_ns()));U='score'in c.argv;V=z('SEED',1337);of=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');op=z('TRAIN_LOG_EVERY',200);og=z('VAL_LOSS_EVERY',1000);return
class Score(a):val_loss:a;s:a;A:a;p:a
def eF(r):
 if r.numel():raise ValueError(f"target {r[0]} of the validation stream is not scored")
def eG(r):o=w[r].to(h,int);a=o[:,:-1].contiguous();return a,o[:,1:].contiguous(),eH(a)
def eH(o):return{}
def eI(t,f,r,l):
 n,s=r[:,1:],h;t[n[l]]=f;a,d,c=eG(r)
 with e.set_grad_enabled(False):u=ob(a,d,phases=(),fields=c,reduction='none',adapter=None)
 i,p=aE(a,d,n.to(s)),l.to(s);o=u.detach().double()*p,p,i*p;return u,e.stack([m.sum().double()for m in o])
def eJ(t,a):
 if n>1:t=t.to(h);i.all_reduce(t,a)
 return t.cpu()
def eK(t,s,c):
 eF(1+(t[1:]==0).nonzero().flatten());a,o,i=ep(s).tolist()
 if o>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(a/o,a/.6931471805599453/i,int(o),1e3*(d.perf_counter()-c))
def eL(scored_at):
 if m==0:d=f"logs/{om}.scores.npz";L.savez_compressed(d,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;B:a
def eM(a):return[Span(o,o+2048,0)for o in range(0,(a-1)//2048*2048,2048)]
def eN(a,o,t):return a[len(a)*o//t:len(a)*(o+1)//t]
def eO(p,a):
 r=e.zeros(a,2049,dtype=int);l=e.zeros(a,2048,dtype=bool)
 for(d,(o,t,s))in enumerate(p):r[d,:t+1-o]=e.arange(o,t+1);l[d,s:t-o]=True
 return r,l
def A(p):
 c,a=d.perf_counter(),oy;g.eval();p=eN(p,m,n);t=e.zeros(len(w),dtype=e.int32);s=e.zeros(3,dtype=float,device=h)
 for(u,f)in enumerate(range(0,len(p),a),1):
  r,l=eO(p[f:f+a],a);s+=eI(t,u,r,l)[1]
  if u%100==0:o(f"eval: batch {u}")
 g.train();t=eJ(t,i.ReduceOp.MAX);return eK(t,s,c),t
def eP(a):return{t:o.j for(t,p,o)in y(a)if o.export!='drop'}
def eQ(n,a,h,i,c=0):
 e,r=eP(a),{}
 for(t,d)in e.items():o=P[d].encode(t,n[t],h.get(t,{}),i);r[t]={s:l.cpu()for(s,l)in o.items()}
 return eR(r)
def eR(r):return r
def eS(r,i):return ak(az(r,i),i)
def eT(data,n):
 a=2**20+sum(8*s.numel()+4096 for s in n.values())
 try:return aA(ax(data,a))
 except Exception as l:raise ValueError(f"the artifact cannot be read: {l}")from l
def eU(t,o,d,a):return P[d].decode(t,o,a)
def eV(r,n,a):
 e=eP(a)
 if r.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,d)in e.items():
  try:s=eW(t,r[t],d,n[t].dtype)
  except Exception as l:raise ValueError(f"the artifact's {t} cannot be decoded: {l!r}")from l
  if s.shape!=n[t].shape:raise ValueError(f"{t}: shape {[*s.shape]}, wanted {[*n[t].shape]}")
  n[t].copy_(s)
def eW(t,o,d,a):return eU(t,o,d,a)
def eX(d,o,a):
 global X,W,oz;oz,X=o,o==0;t('logs').mkdir(exist_ok=True);W=t('logs',d+'.txt')
 if X and not a:W.write_text('')
 c.excepthook=u(eZ,W);faulthandler.register(signal.SIGTERM,W.open('a'),chain=True)
def o(a):
 if X:
  print(a,flush=True)
  with W.open('a')as e:print(a,file=e)
def eY(a):
 if X:o(f"error: {a}")
 elif a not in W.read_text():
  with W.open('a')as e:print(f"rank {oz}: error: {a}",file=e)
def eZ(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 c.__excepthook__(kind,error,trace)
def te(s):
 l=K.sha256(t(c.argv[0]).read_bytes()).hexdigest();a=f"hardware:{r.uname().machine} CPU, {e.get_num_threads()} threads"
 if s.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 o(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{l}\n{a}")
def B():return len(t(c.argv[0]).read_bytes())
oh='final_model.pt'
def C():return P['mlp'].name
def tt():return t(f"final_model.{C()}.ptz")
def ta(r):
 n=b(g.state_dict(),f)
 if m==0:t('final_export.pt').unlink(missing_ok=True);D(u(e.save,n),'final_model.pt')
 h=ts()
 if m==0:d=h,p.done,ee,ea,Z;D(u(e.save,d),'final_export.pt')
 to(n,h)
def to(n,h):
 a=tD();s('diagnostic','val');o(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.s:.8f} eval_time:{a.p:.0f}ms")
 if m==0:tr(n,h)
 ew(.0);tl()
def D(o,d):
 a=t('final_model.tmp')
 try:
  o(a)
  with a.open('rb')as e:r.fsync(e.fileno())
  a.replace(d)
 finally:a.unlink(missing_ok=True)
def ti():
 global Z,ea,ee;n=b(g.state_dict(),f);r,d=tn('final_model.pt'),tn('final_export.pt');a=[t for t in n if t not in r or r[t].shape!=n[t].shape]
 if a:raise ValueError(f"final_model.pt is of another model: {a[0]} is missing or has another shape")
 for(t,s)in n.items():s.copy_(r[t])
 h,o,ee,ea,Z=d;p.done.update(o);tA(Z);to(n,h)
def tn(d):
 try:return e.load(d,h,weights_only=True)
 except OSError:raise
 except Exception as l:raise ValueError(f"{d} is damaged: {str(l)[:99]!r}")from l
def ts():global Y;h={};Y=False;return h
def tr(n,h):r=eQ(n,f,h,p,B());s('quantize','none');c=eS(r,p);s('compress','none');D(u(t.write_bytes,data=c),tt());e=f"{C()}+lzma";o(f"Serialized model: {t(oh).stat().st_size} bytes\nCode size: {B()} bytes\nSerialized model {e}: {len(c)} bytes\nTotal submission size {e}: {len(c)+B()} bytes")
def th():
 a=f;n=b(g.state_dict(),a)
 for s in n.values():s.zero_()
 c=tt().read_bytes();l=K.sha256(c).hexdigest()
 if U:
  r=''.join(d.read_text()for d in t('logs').glob('*.txt'))
  if'artifact_sha256:'in r and l not in r:raise ValueError('the artifact is not that of the logs in logs/')
 o('artifact_sha256:'+l);eV(eT(c,n),n,a)
def tl():o=C();th();s('decode','none');a,t=A(eM(len(w)));s('score','val');td(f"{o}_lzma_roundtrip",a);a,t=A(aI(len(w)));s('score','val');td(f"{o}_sliding_window",a);eL(t);p.count('sliding_eval','targets',a.A)
def td(e,a):o(f"final_{e} val_loss:{a.val_loss:.4f} val_bpb:{a.s:.4f} eval_time:{a.p:.0f}ms\nfinal_{e}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.s:.8f}")
def tc():
 a=[];r=False
 for t in oc:
  e=p.q(t)
  if e and t not in a:o(f"receipt {t}: {e}")
  else:o(f"error: plugin {t} did nothing");r=m==0
 return r
class tu:
 def __init__(e,h,a):c=[(h.get_parameter(t),er(o,t),o)for o in a for t in o.n()];e.tensors=[s for(s,d,o)in c];e.names=[d for(s,d,o)in c];e.replicated=[s for(s,d,o)in c if o.reduction=='replicated'];e.c=[s for(s,d,o)in c if o.u];e.b=[d for(s,d,o)in c if o.u];r=[s for(s,d,o)in c if o.group=='matrix'];l=[d for(s,d,o)in c if o.group=='matrix'];aU(r,l);i=[(n,[s for(s,d,o)in c if o.group==n.name],[d for(s,d,o)in c if o.group==n.name])for n in od];aJ(i)
 @e.no_grad()
 def step(e,scalars,ledger):
  aO(e.tensors,e.names,ledger);aV();eb(e.replicated);aK(scalars,ledger);aW(scalars,ledger)
  for s in e.tensors:s.grad=None
def tm(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tf():return{}
def tp(a,d):return aT(a).contiguous()
def tg(d,a,l):a.mul_(l).add_(d);return d.add(a,alpha=l)
def tw(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(a):step:a;v:a;f:a;m:a;C:a;o:a
class Scalars(a):o:a;y:a;momentum:a
def ty(r,o,t,d):e=t/d if d>0 else r/max(o,1);return Progress(r,o,t,d,e,1.)
class Context(a):
 ids:a;phases:a;training:a;r:a;memo:a;fields:a;d:a;g:a;ledger:a
 def t(e,r,a,o=1):
  if e.ledger is not None:e.ledger.count(r,a,o)
def E(a):return l.rms_norm(a,(a.size(-1),),eps=1.1920929e-07)
def tb(a):return l.pad(a[:,:-1],(0,0)*(a.dim()-2)+(1,0))
def tv(s):return s
def tk(s,a,d,r,o,t):
 s=tv(s)
 if t.g is not None:t.g(d,r,a)
 return F(l.linear(a,s.to(a.dtype)),a,d,o,t)
def F(d,a,r,o,t):
 if t.d is not None and r in t.d.sites:d=d+t.d.delta(a,r,o)
 return d
def tx(a,t):
 if'rope'not in t.memo:l,c,s=a.size(1),a.size(3),a.device;o=1e4**(-e.arange(0,c,2,dtype=e.float32,device=s)/c);r=e.outer(e.arange(l,dtype=e.float32,device=s),o);t.memo['rope']=r.cos(),r.sin()
 i,h=(m[None,:,None,:].to(a.dtype)for m in t.memo['rope']);d,n=a.chunk(2,-1);return e.cat((d*i+n*h,n*i-d*h),-1)
class GPT(M.Module):
 def __init__(e,a,s,n):super().__init__();e.records=a;eh(e,a,s,n)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tv(ctx.r[f"blocks.{layer}.{role}.weight"])
 def l(e,a,d,r,o,t):return tk(t.r[f"blocks.{r}.{d}.weight"],a,d,r,o,t)
 def stem(e,ids,ctx):a=l.embedding(ids,ctx.r['tok_emb.weight']);a=a+tS(ids,ctx);a=E(a);a=ag(a,ctx);return a
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):r=fields or{};d={};fields={**d,**r};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);a=e.stem(ids,t);a=E(ap(e,a,a,t));h=aw(a,t);m=at(h,targets,reduction,t);return m
def tj(r):
 r=t(r);a=sorted(d for d in r.parent.glob(r.name)if('_bytes_'in d.name)==('_bytes_'in r.name))
 if not a:raise ValueError(f"{r}: no shard matches, see DATA_PATH")
 return a
def tq(d):
 i,a=t(d).stat().st_size,L.fromfile(d,'<i4',3).tolist()
 if i<=1024 or a!=[20240520,1,(i-1024)/2]:raise ValueError(f"{d}: {i} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def G(d):
 o=L.memmap(d,'<u2','r',1024,tq(d))
 if o.max()>=1024:raise ValueError(f"{d}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tz(r):
 o=L.concatenate([G(d)for d in tj(r)])
 if len(o)<=2048:raise ValueError(f"{r}: {len(o)} tokens, wanted at least 2049")
 return e.from_numpy(o[:(len(o)-1)//2048*2048+1])
def tA(t):global ow;ow=d.perf_counter()-t/1e3
def s(t,data):global Z;a=1e3*(d.perf_counter()-ow);o(f"stage:{t} begin:{Z:.0f}ms end:{a:.0f}ms data:{data}");Z=a
def tB(a,i):global Z,ea,ob,p,g,f,ee,et,oH,oy,ow,w,Y;f=a;p=i;ee=();et='';Z=.0;ow=d.perf_counter();ea=False;Y=not(U or R);oH=0;oy=max(32,1);n=e.bfloat16 if h.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;g=GPT(a,h,n);ed(g,a,V,i);ob=tm(g);r=t(Q,'fineweb_val_*.bin');w=tz(r);aD(of,Q,h,i);l=K.sha256(w.numpy().data).hexdigest();o(f"val_loader:shards pattern={r} tokens:{len(w)-1}\nval_sha256:{l}")
def H(i):r=t(Q,'fineweb_train_*.bin');aF(r,m,n,i)
def tC():
 if not Y:raise ValueError('training data are closed: training time is over')
 u=aH();a,d=(m.to(h,non_blocking=True)for m in u);return a,d,{}
def tD():return A(eM(len(w)))[0]
def tE():a=[()];return a
def tF():
 h,i=g,p;a,d,c=tC();a,d=a[:1,:512],d[:1,:512];c={t:l[:1,:512]for(t,l)in c.items()};h(a,d,phases=(),fields=c,ledger=i).backward()
 for o in f:r=sum(h.get_parameter(t).grad is not None for t in o.n());i.count(o.x,'trained tensors',r)
 h.zero_grad()
def tG():
 n=g.state_dict();a={t:s.clone()for(t,s)in n.items()};l,i=tu(g,f),j();H(i)
 for d in tE():
  for r in range(20):tL(l,d,Scalars(1.,1.,.9),i);o(' '.join((f"warmup_step:{r+1}/20",*d)))
 for(t,s)in n.items():s.copy_(a[t])
 e.manual_seed(V);H(p)
def tH(a):
 try:s,n,i=eE(),em(),j()
 except ValueError as l:print(f"error: {l}",file=c.stderr);c.exit(2)
 d=eg(om)[0];eX(d,m,R);e.manual_seed(V);e.backends.cuda.matmul.allow_tf32=True
 if T==0:tJ()
 te(h);o('plugins:'+' '.join(oc));tI(a,i)
 if Y:
  tK();tF();tG();r=tO()
  try:ta(r)
  except(OSError,ValueError)as l:eY(str(l));c.exit(f"error: rank {m}: {l}")
 t=not U and(tc()or ea);ef()
 if t:c.exit(1)
def tI(a,i):
 global ee
 try:
  tB(a,i);ej()
  if R:ti()
  elif U:ee=();tl()
  else:H(j())
  return
 except(OSError,ValueError)as l:
  eY(str(l))
  if not R:ef()
  c.exit(2)
def tJ():r.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tK():t=n;o(f"model_params:{sum(s.numel()for s in g.parameters())}\nworld_size:{t} grad_accum_steps:{8//t}\nseed:{V}\ntrain_batch_tokens:786432 train_seq_len:2048 iterations:{S} warmup_steps:20 max_wallclock_seconds:{T:.3f}")
def tL(l,s,h,i):
 t=8//n;o=.0
 for p in range(t):a,d,c=tC();m=ob(a,d,phases=s,fields=c)/t;o+=m.detach();m.backward()
 l.step(h,i);return o
def tM(r,t,d):
 a=ty(r,S,t,d);h=Scalars(1.,1.,.0)
 for o in(aP,oa):h=o(a,h,p)
 return h
def tN():a=T;return 1e3*a
def tO():
 l=tu(g,f);aL(l.c,l.b);d,r,t=tN(),0,.0;aY()
 while True:
  i=r==S or 0<d<=t
  if i or og>0 and r%og==0:
   aZ(p);a=tD();tP(r,f"val_loss:{a.val_loss:.4f} val_bpb:{a.s:.4f}",t)
   if i:break
   aY()
  h=tM(r,t,d);m=tL(l,ee,h,p);r+=1;aM(l.c,r,h);t=ew(oe(r))
  if op>0 and(r<=10 or r%op==0):
   tP(r,f"train_loss:{m:.4f}",t)
   if m!=m:raise ValueError('the training loss is not a number')
 if r<S:o(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{r}/{S}")
 n,c=e.cuda.max_memory_allocated()>>20,e.cuda.max_memory_reserved()>>20;o(f"peak memory allocated: {n} MiB reserved: {c} MiB");aN(l.c,p);tA(t);s('train','train');return r
def tP(r,a,t):o(f"step:{r}/{S} {a} train_time:{t:.0f}ms step_avg:{t/max(r,1):.2f}ms")
def tQ(a,o,e,t):t.t('additive_skips','skips');return a+t.r['skip_weights'][e].to(a.dtype)*o
def tR(o):a=e.bitwise_xor(36313*o[:,1:],27191*o[:,:-1])%3071;return l.pad(a,(1,0),value=3071)
def tS(o,t):t.t('bigram_hash','lookups');a=l.embedding(tR(o),t.r['bigram.embed.weight']);r=l.linear(a,t.r['bigram.proj.weight'].to(a.dtype));return r*t.r['bigram.scale'].to(a.dtype)
def tT(h,a,r,o,t):s=h.l(a,'attn.c_q',r,o,t);i=h.l(a,'attn.c_k',r,o,t);n=h.l(a,'attn.c_v',r,o,t);n=ab(n,r,t);s=ai(E(e.unflatten(s,2,(8,-1))),t);i=ai(E(e.unflatten(i,2,(4,-1))),t);n=e.unflatten(n,2,(4,-1));s,i=an(s,i,r,t);d=ae(s,i,n,t);d=av(d,n,r,t);d=h.l(d.flatten(2),'attn.proj',r,o,t);return F(d,a,'attn',o,t)
def tU(a,o,h):s,i,n=a.transpose(1,2),o.transpose(1,2),h.transpose(1,2);d=s.size(1)!=i.size(1);return l.scaled_dot_product_attention(s,i,n,is_causal=True,enable_gqa=d).transpose(1,2)
def tV(s):
 if s.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return tY(),None
def tW(t,a,o,h):d=t(a,o,h,causal=True,window_size=(-1,0));return d[0]if isinstance(d,tuple)else d
def tX(t,a,o,h):
 if t is not None:return tW(t,a,o,h)
 return tU(a,o,h)
def tY():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def tZ():global ol;t,ol=tV(h);return t
def ae(s,i,n,t):t.t('causal_attention','layers');return tX(ol,s,i,n)
def at(a,o,reduction,t):t.t('cross_entropy','losses');m=l.cross_entropy(a.flatten(0,1).float(),o.flatten(),reduction=reduction);return m.view_as(o)if reduction=='none'else m
def aa(h,a,r,o,t):t.t('leaky_relu2','layers');e=l.leaky_relu(h.l(a,'mlp.fc',r,o,t),.5).square();return h.l(e,'mlp.proj',r,o,t)
def ao(a,r,t):t.t('ln_scale','branches');o=(r+1)**-.5;return a*o
def I(tensor,generator,ledger):
 if min(tensor.shape)>=64:M.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator)
def ai(a,t):t.t('partial_rope','rotations');o=tx(a[...,:16],t);return e.cat((o,a[...,16:]),-1)
def an(a,o,r,t):t.t('qk_gain','layers');e=t.r[f"blocks.{r}.attn.q_gain"].to(a.dtype);return a*e[:,None],o
def ar(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ah(a,s,r,t):o=t.r[f"blocks.{r}.resid_mix"].to(a.dtype);return o[0]*a+o[1]*s
def al(a,r,t):o=E(a);o=ao(o,r,t);return o
def ad(h,a,r,o,t):e=tT(h,a,r,o,t);return t.r[f"blocks.{r}.attn_scale"].to(a.dtype)*e
def ac(h,a,r,o,t):e=F(aa(h,a,r,o,t),a,'mlp',o,t);return t.r[f"blocks.{r}.mlp_scale"].to(a.dtype)*e
def au(h,a,s,r,o,t):d=ah(a[0],s,r,t);d=d+ad(h,al(d,r,t),r,o,t);return d+ac(h,al(d,r,t),r,o,t),
def am(a,o,e,r,t):
 if o is None:return a
 return tQ(a[0],o,e,t),*a[1:]
def af(h,a,s,t):
 n,i=ay(t.phases);t.t('unet_plan','steps over 11 layers',len(n)+len(i));d=[]
 for(o,r)in enumerate(n):a=au(h,a,s,r,o,t);d.append(a[0])
 for(e,r)in enumerate(i):a=am(a,d.pop()if d else None,e,r,t);a=au(h,a,s,r,len(n)+e,t)
 return a
def ap(h,a,o,t):t.t('sequential_wiring','walks');return af(h,(a,),o,t)[0]
def ag(a,t):t.t('smear_gate','blends');o=e.sigmoid(t.r['smear.gate']).to(a.dtype);return(1-o)*a+o*tb(a)
def aw(a,t):t.t('tied_head','heads');o=tk(t.r['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(o/3e1)
def ay(s):e=tuple(range(11));return e[:len(e)//2],e[len(e)//2:]
def ab(e,r,t):
 if r not in(9,10):return e
 t.t('value_embedding','layers')
 if've'not in t.memo:a=l.embedding(t.ids,t.r['ve_shared.embed.weight']);a=l.linear(a,t.r['ve_shared.proj.weight'].to(a.dtype));t.memo['ve']=a*t.r['ve_shared.scale'].to(a.dtype)
 o=t.r[f"ve_layer_scales.{ou.index(r)}"];d=t.memo['ve'];return e+o.to(e.dtype)*d
def av(a,h,r,t):
 if r<0:return a
 t.t('xsa','layers');d=e.unflatten(a,2,(h.size(2),-1));o=l.normalize(h,dim=-1)[:,:,:,None,:];return(d-(d*o).sum(-1,keepdim=True)*o).flatten(2,3)
def ak(data,i):t=lzma.compress(data,preset=9);i.i('lzma',f"{len(data)} -> {len(t)} bytes");return t
def ax(data,a):
 i=lzma.LZMADecompressor(memlimit=2**27);t=i.decompress(data,a)
 if not i.eof or i.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return t
def aj(r):a=io.BytesIO();d={c.intern(t):{c.intern(s):m for(s,m)in o.items()}for(t,o)in r.items()};e.save(d,a);return a.getvalue()
def aq(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def az(r,i):c=aj(r);i.i('torch_save',f"{len(r)} tensors in {len(c)} bytes");return c
def aA(data):return aq(data)
def aB(d):
 try:t=SentencePieceProcessor(d)
 except(OSError,RuntimeError)as l:raise OSError(f"{d}: not a SentencePiece model")from l
 if len(t)>1024:raise ValueError(f"{d} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{d}: U+2581 is not a piece of its own")
 return t
def aC(t):
 a=[(0,0,1)]*1024
 for o in range(len(t)):
  if not(t.is_control(o)or t.is_unknown(o)or t.is_unused(o)):r=t.id_to_piece(o);d=r.startswith('\u2581');a[o]=1 if t.is_byte(o)else len(r.encode())-3*d,d,0
 return e.tensor(a).T
def aD(a,o,s,i):
 global oC,oB,ov,oA
 if any(t(o).glob('*_bytes_*')):raise ValueError(f"{o}: it has byte side files, build with the plugin that reads them")
 r=aC(aB(a));oA,oB,oC=r.to(s);ov=i
def aE(t,a,o):ov.count('sentencepiece_bytes','targets',a.numel());i=oA[a]+(oB[a]&~oC[t]);return i
def aF(r,o,t,i):
 global eo,oF,oD,ei,oJ,oE;eo=tj(r)
 for d in eo:tq(d)
 oD,oE,oJ,oF=o,t,1024,i;ei=G(eo[0])
def aG(a):
 global ei;o=[]
 while a>0:
  if not len(ei):eo.append(eo.pop(0));ei=G(eo[0])
  o.append(ei[:a]);ei=ei[a:];a-=len(o[-1])
 return L.concatenate(o)
def aH():t=aG(oE*98305).reshape(oE,-1)[oD];t=e.from_numpy(t.astype(int));oF.count('sequential_loader','batches');return t[:-1].reshape(-1,2048),t[1:].reshape(-1,2048)
def aI(a):t,n=min(64,2048),a-1;o=range(0,max(n-(2048-t),1),t);return[Span(f,min(f+2048,n),0 if f==0 else 2048-t)for f in o]
def aJ(i):global ok;h=[{'params':r,'spec':n}for(n,r,d)in i];ok=e.optim.AdamW(h,betas=(.9,.95),eps=1e-08,fused=True)
def aK(h,i):
 for o in ok.param_groups:o['lr']=o['spec'].lr*h.o;o['weight_decay']=o['spec'].weight_decay*h.y
 ok.step();i.count('adam','steps')
@e.no_grad()
def aL(r,d):global en,ox;ox=0;en=[s.detach().float().clone()for s in r]
@e.no_grad()
def aM(r,o,h):global ox;ox+=1;e._foreach_mul_(en,.997);e._foreach_add_(en,[s.detach().float()for s in r],alpha=1-.997)
@e.no_grad()
def aN(r,i):
 for(s,a)in zip(r,en,strict=True):s.copy_(a)
 i.count('ema','updates',ox)
def aO(r,d,i):M.utils.clip_grad_norm_(r,.3);i.count('grad_clip','steps')
def aP(progress,scalars,ledger):t=min(progress.step/1500,1.);l=(1-t)*.92+t*.99;ledger.i('momentum_warmup',f"momentum {l:.4f} at step {progress.step}");return scalars._replace(momentum=l)
def aQ(s,a,d,e,h,i):s.mul_(1-e*.04*h.y);i.count('muon_weight_decay','tensors decayed')
def aR(a,o,r):
 e=a.shape[-2]>a.shape[-1]
 if e:a=a.mT
 a=a/(a.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for p in range(o):t=a@a.mT;d=2.0315*t@t if r else 2.0315*(t@t);a=3.4445*a+(-4.775*t+d)@a
 return a.mT if e else a
def aS(update,steps,scale_first):return aR(update.bfloat16(),steps,scale_first)
def aT(a):
 global O
 if O is None:O=tm(aS)
 return O(a,5,False)
class MuonBank(a):weight:a;names:a;k:a;full:a;w:a;momentum:a;W:a
def aU(r,d):
 global es,oI;oI=tf();es=[];w=e.bfloat16 if h.type=='cuda'else e.float32
 for(s,u)in sorted(zip(r,d,strict=True),key=lambda pair:-pair[0].numel()):*p,a,S=s.shape;f=-(-len(u)//n);c=(*u,*['']*f*n)[f*m:][:f];I=[(i,a,S)for i in(f*n,f)];o,t=[e.zeros(g,dtype=w,device=h)for g in I];W,l=[e.zeros(g,dtype=e.bfloat16,device=h)for g in I];es.append(MuonBank(s,u,c,o,t,l,W))
def aV():
 global oj;oj=[]
 for t in es:d=ey(t.weight).bfloat16();t.full.flatten()[:d.numel()].copy_(d.flatten());oj.append(ev(t.w,t.full))
def aW(h,i):
 r=[]
 for(t,o)in zip(es,oj,strict=True):
  ex(o);s=n;d=(t.w/s).bfloat16();a=tg(d,t.momentum,h.momentum);a=tp(a,t.k);r.append((t,ek(t.W,a),a))
  if len(r)>1:aX(*r.pop(0),h,i)
 for e in r:aX(*e,h,i)
def aX(t,o,a,h,i):ex(o);s,e=t.weight,.025*h.o;r=t.W.flatten()[:s.numel()].view_as(s);aQ(s,r,t.names,e,h,i);s.add_(r,alpha=-e*tw(s));i.count('parallel_muon','bank updates');i.count('newton_schulz','matrices',t.W.size(0))
def aY():global oq;oq=d.perf_counter()-N
def aZ(i):
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=d.perf_counter()-oq;i.i('wall_clock',f"{N:.3f} seconds")
def oe(r):return 1e3*(d.perf_counter()-oq)
def ot(a):
 if a.m>0:t=4000*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 o=a.v-a.step;return o/4000 if 0<o<=4000 else 1.
def oa(progress,scalars,ledger):t=ot(progress);ledger.i('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(o=scalars.o*t)
class oo:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');o,r=eB(tensor.float());return{'codes':o,'step':r}
 def decode(e,name,parts,kind):return eC(parts,kind)
class J:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');o,r=oi(tensor.float());return{'codes':o,'step':r}
 def decode(e,name,parts,kind):return eC(parts,kind)
def oi(s):
 if s.ndim==2:a=e.quantile(s.abs(),.9999984,1);r=(a/127).clamp_min(1/127);t=r.half()
 else:a=e.quantile(s.abs().flatten(),.9999984);t=r=a/127 if a>0 else a+1
 a=q(a);return ez(s.clamp(-a,a),r,127),t
def on():return Param('qo_bank',(22,512,512),'matrix','attn',(I,v),'banks',h=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(I,I),'banks',h=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(I,),'banks',h=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(v,),'banks',h=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',k,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',v,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',I,'bigram_hash'),Param('bigram.scale',(),'scalar','control',u(x,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',u(x,value=1.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',k,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ar,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',v,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',u(ec,std=.005),'tied_head','activation',z='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',u(ec,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',u(x,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',k,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',I,'value_embedding')
def os():global et;et='causal_attention';eq(tZ())
ol=None
N=.0
od=Group('embed',.035,.04),Group('scalar',.025,.04)
O=None
oc='adam','additive_skips','banks','bigram_hash','causal_attention','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
P={'attn':oo(),'aux':J(True),'control':J(False),'embed':J(True),'mlp':oo()}
ou=9,10
if __name__=='__main__':tH(on())