import faulthandler,hashlib as F,io,numpy as G,os as o,signal,subprocess,sys as i,time as l,torch as e,torch.distributed as h,torch.nn.functional as H,traceback,zlib
from functools import partial as r
from pathlib import Path as t
from sentencepiece import SentencePieceProcessor
from torch import nn as I
from typing import NamedTuple as a
def en(a,t):
 if not a.h:return t,
 i=range(a.shape[0]//len(a.h));return tuple(o.format(n)for o in a.h for n in i)
def p(r):
 l=[]
 for a in r:
  if a.h:
   i=range(a.shape[0]//len(a.h))
   for(o,s)in zip(a.h,a.init,strict=True):l+=[(o.format(n),s,a)for n in i]
  else:l+=[(t,a.init,a)for t in a.s()]
 return l
def es(s,r,i):
 for a in r:
  m=i if a.dtype=='activation'else e.float32
  for t in a.s():
   *l,h=t.split('.');o=s
   for n in l:
    if n not in o._modules:o.add_module(n,I.ModuleList())
    o=o._modules[n]
   o.register_parameter(h,I.Parameter(e.empty(a.shape,dtype=m,device=c)))
def er(t):n=F.sha256(f"{Q}:{t}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(n[:7],'little'))
def eh(r,h):
 o=g(f.state_dict(),r)
 for(t,s,m)in p(r):i=e.empty(o[t].shape);s(i,er(t),h);o[t].copy_(i)
def g(o,r):
 s=[]
 for a in r:
  for t in a.s():s+=o[t].unbind()if a.h else[o[t]]
 return{t:i for((t,m,m),i)in zip(p(r),s,strict=True)}
def el(tensor,generator,ledger):tensor.zero_()
def w(tensor,generator,ledger):tensor.fill_(1.)
def ed(tensor,generator,ledger,value):tensor.fill_(value)
def ec(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
def eu():
 a=o.environ.get;l=int(a('RANK',0));t=int(a('WORLD_SIZE',1));i=int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return l,t,i
def em():
 global c,og,d,n;l,t,i=eu();a='gloo';r=e.device('cpu')
 if e.cuda.is_available():a='nccl';r=e.device('cuda',i);e.cuda.set_device(r)
 if t>1:h.init_process_group(a)
 d=l;n=t;og=i;c=r
def ef():
 if n>1:h.destroy_process_group()
def ep(i):
 if n>1:h.all_reduce(i)
 return i
def eg(value):
 a=[value]*n
 if n>1:h.all_gather_object(a,value)
 return a
def ew(value):
 if n==1:return value
 a=e.tensor(value,dtype=e.float64,device=c);h.all_reduce(a,h.ReduceOp.MAX);return a.item()
def ey(i):
 if i.grad is None:i.grad=e.zeros_like(i)
 return i.grad
def eb(s):
 o=[ey(i)for i in s]
 if n>1:
  f=e.cat([t.flatten()for t in o]);h.all_reduce(f);a=(f/n).split([t.numel()for t in o])
  for(t,m)in zip(o,a,strict=True):t.copy_(m.view_as(t))
def ev():
 t=''
 try:aS()
 except(OSError,ValueError)as a:t=f"{Y}: {a}"
 for(l,i)in enumerate(eg(t)):
  if i:raise ValueError(f"{i} (on rank {l})"if l else i)
def ek(i):
 if i is not None:s(f"prepared {Y}: {i}")
class Param(a):
 name:a;shape:a;group:a;k:a;init:a=None;b:a='';dtype:a='float32';layers:a=0;h:a=();reduction:a='replicated';j:a='';u:a=True;A:a=True;export:a='yes'
 def s(e):return[e.name.format(n)for n in range(e.layers)]or[e.name]
class Group(a):name:a;lr:a;weight_decay:a=.0
class y:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def o(e,o,i):e.done[o,'']=i
 def x(e,o):return', '.join(f"{i} {a}".strip()for((t,a),i)in e.done.items()if t==o and i)
def ex(o,n):return(o/b(n)).round().clamp(-127,127).to(e.int8)
def b(n):return n[:,None]if n.ndim else n
def ej(a,n,o):return(a.float()*b(n).float()).to(o)
def eq(o):
 if o.ndim==2:a=e.quantile(o.abs(),.9999984,1);n=(a/127).clamp_min(1/127);t=n.half()
 else:a=e.quantile(o.abs().flatten(),.9999984);t=n=a/127 if a>0 else a+1
 a=b(a);return ex(o.clamp(-a,a),n),t
def ez(a,o):
 if'kept'in a:return a['kept'].to(o)
 return ej(a['codes'],a['step'],o)
def v(t,a):
 i=o.environ.get(t,a)
 try:return int(i)
 except ValueError:raise ValueError(f"{t} is {i!r}, wanted a whole number like {a!r}")from None
def eA():
 i=o.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(i)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {i!r}, wanted seconds like 600.0")from None
def eB():global M,N,u,O,aY,P,Q,R,aZ,oe;a=o.environ.get;M=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');N='export'in i.argv;u=v('ITERATIONS',20000);O=eA();aY=a('RUN_ID',str(l.time_ns()));P='score'in i.argv;Q=v('SEED',1337);R=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');aZ=v('TRAIN_LOG_EVERY',200);oe=v('VAL_LOSS_EVERY',1000)
class Score(a):val_loss:a;r:a;q:a;p:a
def eC(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eD(n):o=et[n].to(c,e.int64);i=o[:,:-1].contiguous();return i,o[:,1:].contiguous(),eE(i)
def eE(o):return{}
def eF(t,d,n,r):
 f=n[:,1:];t[f[r]]=d;i,o,s=eD(n)
 with e.set_grad_enabled(False):u=oo(i,o,phases=tA(),fields=s,reduction='none',adapter=None)
 l=ax(i,o,f.to(c));h=r.to(c);a=u.detach().double()*h,h,l*h;return u,e.stack([m.sum().double()for m in a])
def eG(t,a):
 if n>1:t=t.to(c);h.all_reduce(t,a)
 return t.cpu()
def eH(t,a,o):
 eC(1+(t[1:]==0).nonzero().flatten());e,i,n=ep(a).tolist()
 if i>len(t)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/i,e/.6931471805599453/n,int(i),1e3*(l.perf_counter()-o))
def eI(scored_at):
 if d==0:l=f"logs/{aY}.scores.npz";G.savez_compressed(l,scored_at=scored_at.numpy())
class Span(a):start:a;end:a;B:a
def eJ(a):return[Span(i,i+1024,0)for i in range(0,(a-1)//1024*1024,1024)]
def eK(a):return a[len(a)*d//n:len(a)*(d+1)//n]
def eL(m):
 n=e.zeros(ee,1025,dtype=e.int64);r=e.zeros(ee,1024,dtype=e.bool)
 for(a,(i,t,o))in enumerate(m):n[a,:t+1-i]=e.arange(i,t+1);r[a,o:t-i]=True
 return n,r
def eM(m):
 o=l.perf_counter();f.eval();m=eK(m);t=e.zeros(len(et),dtype=e.int32);a=e.zeros(3,dtype=e.float64,device=c)
 for(d,i)in enumerate(range(0,len(m),ee),1):
  n,r=eL(m[i:i+ee]);a+=eF(t,d,n,r)[1]
  if d%100==0:s(f"eval: batch {d}")
 f.train();t=eG(t,h.ReduceOp.MAX);return eH(t,a,o),t
def eN():return{t:a.k for(t,m,a)in p(W)if a.export!='drop'}
def eO(o,c,s=0):
 l=eN();n={}
 for(t,e)in l.items():i=o[t];h=c.get(t,{});a=L[e].encode(t,i,h,m);n[t]={r:d.cpu()for(r,d)in a.items()}
 return eP(n)
def eP(n):return n
def eQ(n):return aw(ap(n))
def eR(data,o):
 t=2**20+sum(8*i.numel()+4096 for i in o.values())
 try:return ag(ay(data,t))
 except Exception as a:raise ValueError(f"the artifact cannot be read: {a}")from a
def eS(t,a,e,o):i=L[e].decode(t,a,o);return i
def eT(n,o):
 l=eN()
 if n.keys()!=l.keys():raise ValueError("the artifact's tensors are not the model's")
 for(t,e)in l.items():
  try:i=eU(t,n[t],e,o[t].dtype)
  except Exception as a:raise ValueError(f"the artifact's {t} cannot be decoded: {a!r}")from a
  if i.shape!=o[t].shape:raise ValueError(f"{t}: shape {[*i.shape]}, wanted {[*o[t].shape]}")
  o[t].copy_(i)
def eU(t,a,e,o):return eS(t,a,e,o)
def eV(o):
 global S,T,ot;ot=d;S=d==0;t('logs').mkdir(exist_ok=True);T=t('logs',o+'.txt')
 if S and not N:T.write_text('')
 i.excepthook=r(eX,T);faulthandler.register(signal.SIGTERM,T.open('a'),chain=True)
def s(a):
 if S:
  print(a,flush=True)
  with T.open('a')as e:print(a,file=e)
def eW(i):
 if S:s(f"error: {i}")
 elif i not in T.read_text():
  with T.open('a')as e:print(f"rank {ot}: error: {i}",file=e)
def eX(path,kind,error,trace):
 with path.open('a')as e:traceback.print_exception(error,file=e)
 i.__excepthook__(kind,error,trace)
def eY():
 n=F.sha256(t(i.argv[0]).read_bytes()).hexdigest();a=f"hardware:{o.uname().machine} CPU, {e.get_num_threads()} threads"
 if c.type=='cuda':a=subprocess.getoutput('nvidia-smi')
 s(f"Running Python {i.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{n}\n{a}")
def k():return len(t(i.argv[0]).read_bytes())
aT='final_model.pt'
def x():return L['mlp'].name
def eZ():return t(f"final_model.{x()}.ptz")
def te(n):
 o=g(f.state_dict(),W)
 if d==0:t('final_export.pt').unlink(missing_ok=True);j(r(e.save,o),'final_model.pt')
 c=ti()
 if d==0:l=c,m.done,X,Z,V;j(r(e.save,l),'final_export.pt')
 tt(o,c)
def tt(o,c):
 a=tB();B('diagnostic','val');s(f"diagnostic pre-quantization post-ema val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f} eval_time:{a.p:.0f}ms")
 if d==0:tn(o,c)
 ew(.0);tr()
def j(i,l):
 a=t('final_model.tmp')
 try:
  i(a)
  with a.open('rb')as e:o.fsync(e.fileno())
  a.replace(l)
 finally:a.unlink(missing_ok=True)
def ta():
 global V,Z,X;o=g(f.state_dict(),W);n=to('final_model.pt');l=to('final_export.pt');a=[t for t in o if t not in n or n[t].shape!=o[t].shape]
 if a:raise ValueError(f"final_model.pt is of another model: {a[0]} is missing or has another shape")
 for(t,i)in o.items():i.copy_(n[t])
 c,e,X,Z,V=l;m.done.update(e);tj(V);tt(o,c)
def to(l):
 try:return e.load(l,c,weights_only=True)
 except OSError:raise
 except Exception as a:raise ValueError(f"{l} is damaged: {str(a)[:99]!r}")from a
def ti():global U;c={};U=False;return c
def tn(o,c):n=eO(o,c,k());B('quantize','none');h=eQ(n);B('compress','none');j(r(t.write_bytes,data=h),eZ());i=f"{x()}+zlib";s(f"Serialized model: {t(aT).stat().st_size} bytes\nCode size: {k()} bytes\nSerialized model {i}: {len(h)} bytes\nTotal submission size {i}: {len(h)+k()} bytes")
def ts():
 o=g(f.state_dict(),W)
 for i in o.values():i.zero_()
 h=eZ().read_bytes();n=F.sha256(h).hexdigest()
 if P:
  a=''.join(l.read_text()for l in t('logs').glob('*.txt'))
  if'artifact_sha256:'in a and n not in a:raise ValueError('the artifact is not that of the logs in logs/')
 s('artifact_sha256:'+n);eT(eR(h,o),o)
def tr():i=x();ts();B('decode','none');a,t=eM(eJ(len(et)));B('score','val');th(f"{i}_zlib_roundtrip",a);eI(t);m.count('chunked_eval','targets',a.q)
def th(i,a):s(f"final_{i} val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f} eval_time:{a.p:.0f}ms\nfinal_{i}_exact val_loss:{a.val_loss:.8f} val_bpb:{a.r:.8f}")
def tl():
 a=[];i=False
 for t in aW:
  n=m.x(t)
  if n and t not in a:s(f"receipt {t}: {n}")
  else:s(f"error: plugin {t} did nothing");i=d==0
 return i
class td:
 def __init__(e):e.v=None;e.E=None;n=[(f.get_parameter(t),en(a,t),a)for a in W for t in a.s()];e.tensors=[i for(i,o,a)in n];e.names=[o for(i,o,a)in n];e.replicated=[i for(i,o,a)in n if a.reduction=='replicated'];e.c=[i for(i,o,a)in n if a.u];e.w=[o for(i,o,a)in n if a.u];h=[i for(i,o,a)in n if a.group=='matrix'];s=[o for(i,o,a)in n if a.group=='matrix'];aD(h,s);r=[(l,[i for(i,o,a)in n if a.group==l.name],[o for(i,o,a)in n if a.group==l.name])for l in aV];aA(r)
 @e.no_grad()
 def step(e,scalars,ledger):
  aE();eb(e.replicated);aB(scalars,ledger);aF(scalars,ledger)
  for i in e.tensors:i.grad=None
def tc(t):
 if e.cuda.is_available():return e.compile(t,dynamic=False,fullgraph=True)
 return t
def tu():return{}
def tm(t,o):return aI(t).contiguous()
def tf(t,o,n):o.mul_(n).add_(t);return t.add(o,alpha=n)
def tp(a):return max(1,a.shape[-2]/a.shape[-1])**.5
class Progress(a):step:a;y:a;f:a;m:a;C:a;i:a
class Scalars(a):i:a;z:a;momentum:a
def tg(n,t,i):o=t/i if i>0 else n/max(u,1);return Progress(n,u,t,i,o,1.)
class Context(a):
 ids:a;phases:a;training:a;n:a;memo:a;fields:a;d:a;g:a;ledger:a
 def t(e,o,a,i=1):
  if e.ledger is not None:e.ledger.count(o,a,i)
def q(i):return H.rms_norm(i,(i.size(-1),),eps=1.1920929e-07)
def tw(o):return o
def ty(o,i,l,n,a,t):
 o=tw(o)
 if t.g is not None:t.g(l,n,i)
 return z(H.linear(i,o.to(i.dtype)),i,l,a,t)
def z(o,i,n,a,t):
 if t.d is not None and n in t.d.sites:o=o+t.d.delta(i,n,a)
 return o
def tb(a,t):
 if'rope'not in t.memo:n=a.size(1);i=a.size(3);r=a.device;l=1e4**(-e.arange(0,i,2,dtype=e.float32,device=r)/i);h=e.outer(e.arange(n,dtype=e.float32,device=r),l);t.memo['rope']=h.cos(),h.sin()
 c,m=(d[None,:,None,:].to(a.dtype)for d in t.memo['rope']);o,s=a.chunk(2,-1);return e.cat((o*c+s*m,s*c-o*m),-1)
class GPT(I.Module):
 def __init__(e,r,i):super().__init__();e.D=None;e.v=None;e.records=r;es(e,r,i)
 def matrices(e):return g(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tw(ctx.n[f"blocks.{layer}.{role}.weight"])
 def l(e,i,l,n,a,t):return ty(t.n[f"blocks.{n}.{l}.weight"],i,l,n,a,t)
 def stem(e,ids,ctx):i=H.embedding(ids,ctx.n['tok_emb.weight']);i=q(i);return i
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):a=fields or{};n={};fields={**n,**a};t=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);i=e.stem(ids,t);i=q(ad(e,i,i,t));l=ac(i,t);c=tX(l,targets,reduction,t);return c
def tv(a):
 a=t(a);i=sorted(l for l in a.parent.glob(a.name)if('_bytes_'in l.name)==('_bytes_'in a.name))
 if not i:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return i
def tk(l):
 n=t(l).stat().st_size;a=G.fromfile(l,'<i4',3).tolist()
 if n<=1024 or a!=[20240520,1,(n-1024)/2]:raise ValueError(f"{l}: {n} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def A(l):
 i=G.memmap(l,'<u2','r',1024,tk(l))
 if i.max()>=1024:raise ValueError(f"{l}: token {i.argmax()} is {i.max()}, wanted an id below 1024")
 return i
def tx(a):
 i=G.concatenate([A(l)for l in tv(a)])
 if len(i)<=1024:raise ValueError(f"{a}: {len(i)} tokens, wanted at least 1025")
 return e.from_numpy(i[:(len(i)-1)//1024*1024+1])
def tj(t):global oa;oa=l.perf_counter()-t/1e3
def B(t,data):global V;a=1e3*(l.perf_counter()-oa);s(f"stage:{t} begin:{V:.0f}ms end:{a:.0f}ms data:{data}");V=a
def tq(r,h):global V,Z,oo,m,f,W,X,Y,ee,oa,et,U;W=r;m=h;X=();Y='';V=.0;oa=l.perf_counter();Z=False;U=not(P or N);ee=max(64,1);i=e.bfloat16 if c.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;f=GPT(r,i);eh(r,h);oo=tc(f);a=t(M,'fineweb_val_*.bin');et=tx(a);ak(h);n=F.sha256(et.numpy().data).hexdigest();s(f"val_loader:shards pattern={a} tokens:{len(et)-1}\nval_sha256:{n}")
def C(h):a=t(M,'fineweb_train_*.bin');aj(a,h)
def tz():
 if not U:raise ValueError('training data are closed: training time is over')
 d=az();i,o=(m.to(c,non_blocking=True)for m in d);return i,o,{}
def tA():return tuple(l.name for l in()if l.scoring and l.name in X)
def tB():return eM(eJ(len(et)))[0]
def tC():a=[()];return a
def tD():
 i,o,s=tz();i,o=i[:1,:512],o[:1,:512];s={t:d[:1,:512]for(t,d)in s.items()};n=tuple(l.name for l in());f(i,o,phases=n,fields=s,ledger=m).backward()
 for a in W:e=sum(f.get_parameter(t).grad is not None for t in a.s());m.count(a.b,'trained tensors',e)
 f.zero_grad()
def tE():
 o=f.state_dict();a={t:i.clone()for(t,i)in o.items()};r=td();l=y();C(l)
 for h in tC():
  for n in range(20):tJ(r,h,Scalars(1.,1.,.9),l);s(' '.join((f"warmup_step:{n+1}/20",*h)))
 for(t,i)in o.items():i.copy_(a[t])
 e.manual_seed(Q);C(m)
def tF(r):
 try:eB();em();h=y()
 except ValueError as a:print(f"error: {a}",file=i.stderr);i.exit(2)
 o=eg(aY)[0];eV(o);e.manual_seed(Q);e.backends.cuda.matmul.allow_tf32=True
 if O==0:tH()
 eY();s('plugins:'+' '.join(aW));tG(r,h)
 if U:
  tI();tD();tE();n=tM()
  try:te(n)
  except(OSError,ValueError)as a:eW(str(a));i.exit(f"error: rank {d}: {a}")
 t=not P and(tl()or Z);ef()
 if t:i.exit(1)
def tG(r,h):
 global X
 try:
  tq(r,h);ev()
  if N:ta()
  elif P:X=tuple(l.name for l in());tr()
  else:C(y())
  return
 except(OSError,ValueError)as a:
  eW(str(a))
  if not N:ef()
  i.exit(2)
def tH():o.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tI():s(f"model_params:{sum(i.numel()for i in f.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{Q}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{u} warmup_steps:20 max_wallclock_seconds:{O:.3f}")
def tJ(r,d,l,h):
 a=8//n;t=.0
 for m in range(a):i,o,s=tz();c=oo(i,o,phases=d,fields=s)/a;t+=c.detach();c.backward()
 r.step(l,h);return t
def tK(n,t,i):
 a=tg(n,t,i);l=Scalars(1.,1.,.0)
 for o in aX:l=o(a,l,m)
 return l
def tL():return 1e3*O
def tM():
 r=td();aJ(r.c,r.w);i=tL();n=0;t=.0;aM()
 while True:
  d=n==u or 0<i<=t
  if d or oe>0 and n%oe==0:
   aN();a=tB();tN(n,f"val_loss:{a.val_loss:.4f} val_bpb:{a.r:.4f}",t)
   if d:break
   aM()
  l=tK(n,t,i);c=tJ(r,X,l,m);n+=1;aK(r.c,n,l);t=ew(aO(n))
  if aZ>0 and(n<=10 or n%aZ==0):
   tN(n,f"train_loss:{c:.4f}",t)
   if c!=c:raise ValueError('the training loss is not a number')
 if n<u:s(f"stopping_early: wallclock_cap train_time:{t:.0f}ms step:{n}/{u}")
 o=e.cuda.max_memory_allocated()>>20;h=e.cuda.max_memory_reserved()>>20;s(f"peak memory allocated: {o} MiB reserved: {h} MiB");aL(r.c);tj(t);B('train','train');return n
def tN(n,a,t):s(f"step:{n}/{u} {a} train_time:{t:.0f}ms step_avg:{t/max(n,1):.2f}ms")
def tO(i,a,r,t):t.t('additive_skips','skips');return i+t.n['skip_weights'][r].to(i.dtype)*a
def tP(i,r,n,a,t):l=i.l(r,'attn.c_q',n,a,t);h=i.l(r,'attn.c_k',n,a,t);s=i.l(r,'attn.c_v',n,a,t);l=at(q(e.unflatten(l,2,(8,-1))),t);h=at(q(e.unflatten(h,2,(4,-1))),t);s=e.unflatten(s,2,(4,-1));l,h=tY(l,h,n,t);o=tW(l,h,s,t);o=i.l(o.flatten(2),'attn.proj',n,a,t);return z(o,r,'attn',a,t)
def tQ(a,i,n):l=a.transpose(1,2);h=i.transpose(1,2);s=n.transpose(1,2);t=l.size(1)!=h.size(1);return H.scaled_dot_product_attention(l,h,s,is_causal=True,enable_gqa=t).transpose(1,2)
def tR():
 if c.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as a;return'flash-attn 3',a
 except ImportError:
  try:from flash_attn import flash_attn_func as a;return'flash-attn 2',a
  except ImportError:return tU(),None
def tS(t,a,i,n):o=t(a,i,n,causal=True,window_size=(-1,0));return o[0]if isinstance(o,tuple)else o
def tT(t,a,i,n):
 if t is not None:return tS(t,a,i,n)
 return tQ(a,i,n)
def tU():a=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not a);e.backends.cuda.enable_flash_sdp(a);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if a else'cuDNN'
def tV():global aU;t,aU=tR();return t
def tW(l,h,s,t):t.t('causal_attention','layers');return tT(aU,l,h,s)
def tX(a,i,reduction,t):t.t('cross_entropy','losses');c=H.cross_entropy(a.flatten(0,1).float(),i.flatten(),reduction=reduction);return c.view_as(i)if reduction=='none'else c
def tY(a,i,n,t):t.t('qk_gain','layers');o=t.n[f"blocks.{n}.attn.q_gain"].to(a.dtype);return a*o[:,None],i
def tZ(i,r,n,a,t):t.t('relu2','layers');e=H.relu(i.l(r,'mlp.fc',n,a,t)).square();return i.l(e,'mlp.proj',n,a,t)
def ae(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def at(a,t):t.t('rope','rotations');return tb(a,t)
def aa(i,l,n,t):a=t.n[f"blocks.{n}.resid_mix"].to(i.dtype);return a[0]*i+a[1]*l
def ao(i):a=q(i);return a
def ai(i,r,n,a,t):o=tP(i,r,n,a,t);return t.n[f"blocks.{n}.attn_scale"].to(r.dtype)*o
def an(i,r,n,a,t):e=z(tZ(i,r,n,a,t),r,'mlp',a,t);return t.n[f"blocks.{n}.mlp_scale"].to(r.dtype)*e
def ar(i,e,l,n,a,t):o=aa(e[0],l,n,t);o=o+ai(i,ao(o),n,a,t);return o+an(i,ao(o),n,a,t),
def ah(e,a,r,n,t):
 if a is None:return e
 return tO(e[0],a,r,t),*e[1:]
def al(i,e,l,t):
 h,s=au();t.t('unet_plan','steps over 9 layers',len(h)+len(s));o=[]
 for(a,n)in enumerate(h):e=ar(i,e,l,n,a,t);o.append(e[0])
 for(r,n)in enumerate(s):e=ah(e,o.pop()if o else None,r,n,t);e=ar(i,e,l,n,len(h)+r,t)
 return e
def ad(i,a,n,t):t.t('sequential_wiring','walks');return al(i,(a,),n,t)[0]
def ac(a,t):t.t('tied_head','heads');i=ty(t.n['tok_emb.weight'],a,'head',0,0,t);return 3e1*e.tanh(i/3e1)
def au():i=tuple(range(9));return i[:len(i)//2],i[len(i)//2:]
def D(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def am(n):o=io.BytesIO();l={i.intern(t):{i.intern(r):m for(r,m)in a.items()}for(t,a)in n.items()};e.save(l,o);return o.getvalue()
def af(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def ap(n):h=am(n);m.o('torch_save',f"{len(n)} tensors in {len(h)} bytes");return h
def ag(data):return af(data)
def aw(data):f=zlib.compress(data,9);m.o('zlib',f"{len(data)} -> {len(f)} bytes");return f
def ay(data,t):
 s=zlib.decompressobj();a=s.decompress(data,t)
 if not s.eof or s.unused_data:raise ValueError(f"wanted one whole stream of at most {t} bytes")
 return a
def ab():
 try:t=SentencePieceProcessor(R)
 except(OSError,RuntimeError)as a:raise OSError(f"{R}: not a SentencePiece model")from a
 if len(t)>1024:raise ValueError(f"{R} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{R}: U+2581 is not a piece of its own")
 return t
def av(t):
 i=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):n=t.id_to_piece(a);o=n.startswith('\u2581');i[a]=1 if t.is_byte(a)else len(n.encode())-3*o,o,0
 return e.tensor(i).T
def ak(h):
 global op,of,oi,om
 if any(t(M).glob('*_bytes_*')):raise ValueError(f"{M}: it has byte side files, build with the plugin that reads them")
 a=av(ab());om,of,op=a.to(c);oi=h
def ax(t,a,i):oi.count('sentencepiece_bytes','targets',a.numel());l=om[a]+(of[a]&~op[t]);return l
def aj(a,h):
 global ea,oh,on,eo,os;ea=tv(a)
 for l in ea:tk(l)
 on=d;os=n;oh=h;eo=A(ea[0])
def aq(t):
 global eo;a=[]
 while t>0:
  if not len(eo):ea.append(ea.pop(0));eo=A(ea[0])
  a.append(eo[:t]);eo=eo[t:];t-=len(a[-1])
 return G.concatenate(a)
def az():t=aq(os*65537).reshape(os,-1)[on];t=e.from_numpy(t.astype(int));oh.count('sequential_loader','batches');return t[:-1].reshape(-1,1024),t[1:].reshape(-1,1024)
def aA(r):global ol;h=[{'params':s,'spec':l}for(l,s,o)in r];ol=e.optim.AdamW(h,betas=(.9,.95),eps=1e-08,fused=True)
def aB(l,h):
 for n in ol.param_groups:n['lr']=n['spec'].lr*l.i;n['weight_decay']=n['spec'].weight_decay*l.z
 ol.step();h.count('adam','steps')
def aC(progress,scalars,ledger,start,final,steps):t=min(progress.step/steps,1.)if steps>0 else 1.;n=(1-t)*start+t*final;ledger.o('momentum_warmup',f"momentum {n:.4f} at step {progress.step}");return scalars._replace(momentum=n)
def aD(s,o):global ow,oc,od,ei;ei=s;od=o;ow=tu();oc=[e.zeros_like(i)for i in s]
def aE():0
def aF(l,h):
 s=[i.numel()for i in ei];f=e.zeros(sum(s),dtype=e.bfloat16,device=c);a=f.split(s)
 for r in range(d,len(ei),n):i,o=ei[r],od[r];t=tf(ey(i),oc[r],l.momentum);t=tm(t,o)*tp(i);a[r].copy_(t.flatten())
 ep(f);u=.04*l.i
 for(i,o,m)in zip(ei,od,a,strict=True):t=m.view_as(i);i.add_(t,alpha=-u)
 h.count('muon','matrix updates',len(ei));h.count('newton_schulz','matrices',len(ei))
def aG(i,o,n):
 t=i.shape[-2]>i.shape[-1]
 if t:i=i.mT
 i=i/(i.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for m in range(o):a=i@i.mT;e=2.0315*a@a if n else 2.0315*(a@a);i=3.4445*i+(-4.775*a+e)@i
 return i.mT if t else i
def aH(update,steps,scale_first):return aG(update.bfloat16(),steps,scale_first)
def aI(t):
 global K
 if K is None:K=tc(aH)
 return K(t,5,True)
def aJ(s,o):0
def aK(s,o,l):0
def aL(s):m.o('no_average','last weights')
def aM():global ou;ou=l.perf_counter()-J
def aN():
 global J
 if e.cuda.is_available():e.cuda.synchronize()
 J=l.perf_counter()-ou;m.o('wall_clock',f"{J:.3f} seconds")
def aO(n):return 1e3*(l.perf_counter()-ou)
def aP(a,length):
 if length<=0:return 1.
 if a.m>0:t=length*(a.f/max(a.step,1));return min(max(a.m-a.f,.0)/max(t,1e-09),1.)
 i=a.y-a.step;return i/length if 0<i<=length else 1.
def aQ(progress,scalars,ledger,length):t=aP(progress,length);ledger.o('warmdown_iters',f"multiplier {t:.4f} at step {progress.step}");return scalars._replace(i=scalars.i*t)
class E:
 name='int8'
 def __init__(e,a):e.half=a
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');a,n=eq(tensor.float());return{'codes':a,'step':n}
 def decode(e,name,parts,kind):return ez(parts,kind)
def aR():return Param('blocks.{}.attn.c_q.weight',(512,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.c_k.weight',(256,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.c_v.weight',(256,512),'matrix','attn',D,'layer_matrices',layers=9),Param('blocks.{}.attn.proj.weight',(512,512),'matrix','attn',el,'layer_matrices',layers=9),Param('blocks.{}.mlp.fc.weight',(1024,512),'matrix','mlp',D,'layer_matrices',layers=9),Param('blocks.{}.mlp.proj.weight',(512,1024),'matrix','mlp',el,'layer_matrices',layers=9),Param('skip_weights',(4,512),'scalar','control',w,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',r(ed,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',w,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',w,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ae,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',r(ec,std=.005),'tied_head','activation',j='head')
def aS():global Y;Y='causal_attention';ek(tV())
aU=None
J=.0
aV=Group('embed',.05),Group('scalar',.04)
K=None
aW='adam','additive_skips','causal_attention','chunked_eval','cross_entropy','int8','layer_matrices','momentum_warmup','muon','newton_schulz','no_average','qk_gain','relu2','residual_scales','rope','sentencepiece_bytes','sequential_loader','sequential_wiring','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
aX=r(aC,final=.95,start=.85,steps=500),r(aQ,length=1200)
L={'attn':E(True),'control':E(False),'embed':E(True),'mlp':E(True)}
if __name__=='__main__':tF(aR())